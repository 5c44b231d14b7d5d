//! Everything that a run is, by name: what a checkpoint holds.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::GanError;
use super::networks::Parameter;
use super::tensor::Tensor;

/// Tensors and values by name. Whoever takes part in a training run puts all that it remembers in, and takes it out again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SavedState {
    tensors: BTreeMap<String, Tensor>,
    values: BTreeMap<String, Value>,
}

impl SavedState {
    /// From what a file holds.
    pub fn new(tensors: BTreeMap<String, Tensor>, values: BTreeMap<String, Value>) -> Self {
        SavedState { tensors, values }
    }

    /// The tensors.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// The values.
    pub fn values(&self) -> &BTreeMap<String, Value> {
        &self.values
    }

    /// Puts a tensor in.
    pub fn insert(&mut self, name: impl Into<String>, tensor: &Tensor) {
        self.tensors.insert(name.into(), tensor.clone());
    }

    /// Puts tensors in, `prefix.name` each.
    pub fn insert_all<'a>(&mut self, prefix: &str, parameters: impl IntoIterator<Item = &'a Parameter>) {
        for parameter in parameters {
            self.insert(format!("{prefix}.{}", parameter.name), &parameter.value);
        }
    }

    /// Puts a value in: integers, texts and structures of them. JSON does not keep every bit of a fraction:
    /// [`Self::insert_number`] does.
    pub fn insert_value(&mut self, name: impl Into<String>, value: &impl Serialize) {
        let value = serde_json::to_value(value).expect("state is made of plain data");
        self.values.insert(name.into(), value);
    }

    /// Puts a number in, to the bit.
    pub fn insert_number(&mut self, name: impl Into<String>, number: f64) {
        self.insert_value(name, &number.to_bits());
    }

    /// A tensor of this shape.
    ///
    /// # Errors
    /// [`GanError::State`] when it is missing or of another shape.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, GanError> {
        let tensor = self.any_tensor(name)?;
        match tensor.shape() == shape {
            true => Ok(tensor),
            false => Err(GanError::State(format!(
                "`{name}` is of shape {:?}, the model has one of {shape:?}",
                tensor.shape()
            ))),
        }
    }

    /// A tensor of whatever shape.
    ///
    /// # Errors
    /// [`GanError::State`] when it is missing.
    pub fn any_tensor(&self, name: &str) -> Result<Tensor, GanError> {
        let tensor = self.tensors.get(name).cloned();
        tensor.ok_or_else(|| GanError::State(format!("the tensor `{name}` is missing")))
    }

    /// Fills tensors with those under `prefix.name`.
    ///
    /// # Errors
    /// As for [`Self::tensor`].
    pub fn fill<'a>(
        &self,
        prefix: &str,
        parameters: impl IntoIterator<Item = &'a mut Parameter>,
    ) -> Result<(), GanError> {
        for parameter in parameters {
            parameter.value = self.tensor(&format!("{prefix}.{}", parameter.name), parameter.value.shape())?;
        }
        Ok(())
    }

    /// A value.
    ///
    /// # Errors
    /// [`GanError::State`] when it is missing or of another kind.
    pub fn value<V: DeserializeOwned>(&self, name: &str) -> Result<V, GanError> {
        let value = self.values.get(name).ok_or_else(|| GanError::State(format!("`{name}` is missing")))?;
        serde_json::from_value(value.clone()).map_err(|error| GanError::State(format!("`{name}` is damaged ({error})")))
    }

    /// A number that [`Self::insert_number`] put in.
    ///
    /// # Errors
    /// As for [`Self::value`].
    pub fn number(&self, name: &str) -> Result<f64, GanError> {
        self.value(name).map(f64::from_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_what_does_not_is_named() {
        let mut state = SavedState::default();
        state.insert("w", &Tensor::full(&[2], 0.5));
        state.insert_value("steps", &7_u64);
        state.insert_number("k", 0.1 + 0.2);
        assert_eq!(state.tensor("w", &[2]).unwrap(), Tensor::full(&[2], 0.5));
        assert_eq!((state.value::<u64>("steps").unwrap(), state.number("k").unwrap()), (7, 0.1 + 0.2));
        let message = |error: GanError| error.to_string();
        assert_eq!(message(state.tensor("v", &[2]).unwrap_err()), "the tensor `v` is missing");
        assert!(message(state.tensor("w", &[3]).unwrap_err()).contains("of shape [2], the model has one of [3]"));
        assert!(message(state.value::<String>("steps").unwrap_err()).contains("`steps` is damaged"));
    }
}
