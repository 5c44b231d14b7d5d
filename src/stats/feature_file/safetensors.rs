//! Feature files in the format safetensors: the length of a header in eight bytes, the header in JSON, then the numbers.
//!
//! Written and read tensor by tensor, so that no second copy of the features is ever in memory; the crate `safetensors`, which
//! serves checkpoints, wants the whole file there.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{FeatureFile, Found, Names, Raw};
use crate::output::OutputWriter;
use crate::regular;
use crate::stats::fault::Fault;

/// Longest header that is read; the names of ten million images fit.
const LONGEST_HEADER: u64 = 1 << 30;
/// Values that are turned from bytes at a time.
const CHUNK: usize = 1 << 14;

/// Where a tensor is, behind the header.
#[derive(Debug, Serialize, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, Tensor>,
}

/// Whether a file begins as a safetensors file does.
pub(super) fn recognise(head: &[u8]) -> bool {
    match head.split_first_chunk::<8>() {
        Some((length, rest)) => u64::from_le_bytes(*length) <= LONGEST_HEADER && rest.starts_with(b"{"),
        None => false,
    }
}

pub(super) fn write(content: &FeatureFile, file: &mut OutputWriter<'_>) -> io::Result<()> {
    let metadata = content.texts().into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    let matrices = content.matrices();
    let mut end = 0;
    let mut tensor = |(name, matrix): &(&str, ndarray::ArrayView2<'_, f32>)| {
        let start = end;
        end += 4 * matrix.len() as u64;
        let (rows, columns) = matrix.dim();
        let place = Tensor { dtype: "F32".into(), shape: vec![rows, columns], data_offsets: [start, end] };
        ((*name).to_owned(), place)
    };
    let tensors = matrices.iter().map(&mut tensor).collect();
    let mut header = serde_json::to_vec(&Header { metadata, tensors }).map_err(io::Error::other)?;
    // Readers that map the file want the numbers aligned.
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for (_, matrix) in &matrices {
        for value in matrix {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<Raw, Fault> {
    let mut file = BufReader::new(regular::open(path)?);
    let length_of_file = file.get_ref().metadata()?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let first = length.checked_add(8).filter(|&first| length <= LONGEST_HEADER && first <= length_of_file);
    let first = first.ok_or_else(|| Fault::Malformed("its header is longer than the file".into()))?;
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)?;
    let Header { mut metadata, tensors } =
        serde_json::from_slice(&header).map_err(|error| format!("its header cannot be read: {error}"))?;
    let mut matrix = |name: &str| -> Result<Option<Array2<f32>>, Fault> {
        let Some(Tensor { dtype, shape, data_offsets: [start, end] }) = tensors.get(name) else { return Ok(None) };
        let [rows, columns] = shape[..] else {
            return Err(format!("tensor `{name}` has shape {shape:?}: expected one row an image").into());
        };
        let wide = match dtype.as_str() {
            "F32" => 4,
            "F64" => 8,
            other => return Err(format!("tensor `{name}` is of type {other}: expected F32 or F64").into()),
        };
        let bytes = (rows as u64).checked_mul(columns as u64).and_then(|values| values.checked_mul(wide));
        let fits = end.checked_add(first).is_some_and(|end| end <= length_of_file);
        if !fits || end.checked_sub(*start) != bytes {
            return Err(format!("tensor `{name}` of shape {shape:?} does not lie where the header says").into());
        }
        file.seek(SeekFrom::Start(first + start))?;
        let mut values = Vec::with_capacity(rows * columns);
        let mut chunk = vec![0; CHUNK * wide as usize];
        while values.len() < rows * columns {
            let part = (rows * columns - values.len()).min(CHUNK) * wide as usize;
            file.read_exact(&mut chunk[..part])?;
            let (singles, _) = chunk[..part].as_chunks::<4>();
            let (doubles, _) = chunk[..part].as_chunks::<8>();
            match wide {
                4 => values.extend(singles.iter().map(|bytes| f32::from_le_bytes(*bytes))),
                _ => values.extend(doubles.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32)),
            }
        }
        Ok(Some(Array2::from_shape_vec((rows, columns), values).expect("as many as the shape says")))
    };
    Ok(Raw {
        features: matrix("features")?.map(Found::Memory),
        array: None,
        logits: matrix("logits")?,
        spatial: matrix("spatial")?,
        names: metadata.remove("names").map(Names::Json),
        labels: match metadata.remove("labels") {
            Some(text) => {
                Some(serde_json::from_str(&text).map_err(|error| format!("its classes cannot be read: {error}"))?)
            }
            None => None,
        },
        provenance: metadata.remove("provenance"),
    })
}
