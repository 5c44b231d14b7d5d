//! Checkpoints as PyTorch writes them, for the tests of the library and of the program.

use std::io::{Cursor, Write};

use gan_metrics::extractor::weights::pth::StateDict;

/// A checkpoint as `torch.save` writes it: a zip archive of one pickle and the storages.
pub fn checkpoint_bytes(state: &StateDict) -> Vec<u8> {
    let mut pickle = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    let text = |pickle: &mut Vec<u8>, text: &str| {
        pickle.push(b'X');
        pickle.extend((text.len() as u32).to_le_bytes());
        pickle.extend(text.as_bytes());
    };
    let tuple = |pickle: &mut Vec<u8>, integers: &[usize]| {
        pickle.push(b'(');
        for &integer in integers {
            pickle.push(b'J');
            pickle.extend((integer as i32).to_le_bytes());
        }
        pickle.push(b't');
    };
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (key, (name, tensor)) in state.iter().enumerate() {
        text(&mut pickle, name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &key.to_string());
        text(&mut pickle, "cpu");
        pickle.push(b'J');
        pickle.extend((tensor.data().len() as i32).to_le_bytes());
        pickle.extend(b"tQK\0");
        let shape = tensor.shape();
        let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        tuple(&mut pickle, shape);
        tuple(&mut pickle, &strides);
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
        archive.start_file(format!("archive/data/{key}"), stored).unwrap();
        let bytes: Vec<u8> = tensor.data().iter().flat_map(|value| value.to_le_bytes()).collect();
        archive.write_all(&bytes).unwrap();
    }
    pickle.extend(b"u.");
    archive.start_file("archive/data.pkl", stored).unwrap();
    archive.write_all(&pickle).unwrap();
    archive.finish().unwrap().into_inner()
}
