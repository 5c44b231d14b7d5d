//! The two file formats of `torch.save`: both give a pickled object and the raw storages it refers to.

use std::collections::HashMap;
use std::io::{self, Cursor};

use zip::{CompressionMethod, ZipArchive};

use super::PthError;
use super::pickle::{Heap, Storage, Unpickler, Value};

/// `0x1950a86a20f9469cfc6c`, little-endian: what every legacy checkpoint begins with.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The protocol number of the legacy format, the only one there has been.
const LEGACY_PROTOCOL: i64 = 1001;

/// Characters of a foreign file to show.
const SHOWN: usize = 24;

/// A checkpoint taken apart.
pub(super) struct Object<'a> {
    pub(super) root: Value<'a>,
    pub(super) heap: Heap<'a>,
    pub(super) storages: Storages<'a>,
}

/// The raw storages of a checkpoint, by key.
pub(super) struct Storages<'a>(HashMap<&'a str, &'a [u8]>);

impl<'a> Storages<'a> {
    /// The bytes of a storage, exactly as many as the pickle declares.
    pub(super) fn bytes(&self, storage: Storage<'_>) -> Result<&'a [u8], PthError> {
        let found = self.0.get(storage.key).copied();
        match found {
            Some(bytes) if bytes.len() as u64 == storage.byte_len() => Ok(bytes),
            _ => Err(PthError::StorageSize {
                key: storage.key.to_owned(),
                expected: storage.byte_len(),
                found: found.map_or(0, |bytes| bytes.len() as u64),
            }),
        }
    }
}

/// Takes a checkpoint apart, whichever format it is in.
pub(super) fn open(bytes: &[u8]) -> Result<Object<'_>, PthError> {
    if bytes.starts_with(b"PK\x03\x04") {
        return open_zip(bytes);
    }
    let mut unpickler = Unpickler::new(bytes);
    match unpickler.load() {
        Ok(Value::Long(magic)) if magic == LEGACY_MAGIC => open_legacy(bytes, unpickler),
        _ => {
            let start = bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string();
            Err(PthError::NotACheckpoint { start })
        }
    }
}

/// The rest of a legacy stream, after the magic number: protocol, system, object, storage keys, then each storage as
/// its element count (eight bytes) and its elements.
fn open_legacy<'a>(bytes: &'a [u8], mut unpickler: Unpickler<'a>) -> Result<Object<'a>, PthError> {
    if unpickler.load()? != Value::Int(LEGACY_PROTOCOL) {
        return Err(unpickler.malformed("an unknown protocol number"));
    }
    let system = unpickler.load()?;
    if let Some(mut system) = unpickler.items(system)
        && system.any(|item| item == (Value::Str("little_endian"), Value::Bool(false)))
    {
        return Err(PthError::BigEndian);
    }
    let root = unpickler.load()?;
    let Value::List(keys) = unpickler.load()? else {
        return Err(unpickler.malformed("no list of storages"));
    };

    let truncated = PthError::Truncated { length: bytes.len(), what: "its tensors" };
    let mut rest = unpickler.rest();
    let end = bytes.len() - rest.len();
    let heap = unpickler.into_heap();
    let declared: HashMap<&str, Storage<'a>> = heap.storages().iter().map(|&storage| (storage.key, storage)).collect();
    let mut storages = HashMap::new();
    for &key in heap.sequence(keys) {
        let Value::Str(key) = key else {
            return Err(PthError::Malformed { at: end, reason: "a storage key that is not a string" });
        };
        let Some(storage) = declared.get(key) else {
            return Err(PthError::Malformed { at: end, reason: "a storage that no tensor refers to" });
        };
        let Some((elements, tail)) = rest.split_first_chunk() else { return Err(truncated) };
        let found = u64::from_le_bytes(*elements).saturating_mul(storage.dtype.size() as u64);
        let expected = storage.byte_len();
        if found != expected {
            return Err(PthError::StorageSize { key: key.to_owned(), expected, found });
        }
        let split = usize::try_from(expected).ok().and_then(|length| tail.split_at_checked(length));
        let Some((stored, tail)) = split else { return Err(truncated) };
        storages.insert(key, stored);
        rest = tail;
    }
    Ok(Object { root, heap, storages: Storages(storages) })
}

/// A zip archive `NAME/data.pkl`, `NAME/data/KEY`, `NAME/byteorder`.
fn open_zip(bytes: &[u8]) -> Result<Object<'_>, PthError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    if let Some(entry) = archive.file_names().find(|name| name.ends_with("/constants.pkl")) {
        return Err(PthError::TorchScript { entry: entry.to_owned() });
    }
    let pickle = archive.file_names().find(|name| name.ends_with("/data.pkl")).map(str::to_owned);
    let Some(pickle) = pickle else {
        return Err(PthError::Entry { entry: "data.pkl".to_owned(), reason: "it is missing".to_owned() });
    };
    let root = pickle.strip_suffix("data.pkl").unwrap_or_default().to_owned();

    let byteorder = format!("{root}byteorder");
    if archive.index_for_name(&byteorder).is_some() && stored(&mut archive, bytes, &byteorder)? == b"big" {
        return Err(PthError::BigEndian);
    }
    let mut unpickler = Unpickler::new(stored(&mut archive, bytes, &pickle)?);
    let object = unpickler.load()?;
    let heap = unpickler.into_heap();
    let mut storages = HashMap::new();
    for storage in heap.storages() {
        if !storages.contains_key(storage.key) {
            let entry = format!("{root}data/{}", storage.key);
            storages.insert(storage.key, stored(&mut archive, bytes, &entry)?);
        }
    }
    Ok(Object { root: object, heap, storages: Storages(storages) })
}

/// The bytes of an entry that is stored uncompressed, as `torch.save` does, once its checksum is verified.
fn stored<'a>(archive: &mut ZipArchive<Cursor<&'a [u8]>>, bytes: &'a [u8], name: &str) -> Result<&'a [u8], PthError> {
    let damaged = |reason: String| PthError::Entry { entry: name.to_owned(), reason };
    let mut entry = archive.by_name(name).map_err(|error| damaged(error.to_string()))?;
    if entry.compression() != CompressionMethod::Stored {
        return Err(damaged(format!("it is compressed with {}, and torch.save never compresses", entry.compression())));
    }
    let length = io::copy(&mut entry, &mut io::sink()).map_err(|error| damaged(error.to_string()))?;
    let start = usize::try_from(entry.data_start()).ok();
    let end = start.zip(usize::try_from(length).ok()).and_then(|(start, length)| start.checked_add(length));
    start.zip(end).and_then(|(start, end)| bytes.get(start..end)).ok_or_else(|| damaged("it is cut off".to_owned()))
}
