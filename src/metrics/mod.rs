//! Scores from statistics and features. Nothing here sees an image or a network.
