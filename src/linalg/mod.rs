//! Dense symmetric linear algebra in f64.
