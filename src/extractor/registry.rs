//! The extractors by name, and where their weights are.

use std::path::PathBuf;

use super::model::{InputSpec, Layout, Model, ModelError, Normalization, sha256_hex};
use super::weights::{WeightsError, efficientnet_lite};
