//! Divergences between distributions: f-divergences, their conjugates and variational bounds, transport distances.
