//! Statistics in pickles: plain dicts of NumPy arrays, as EDM2, StyleGAN and their kin write them. Nothing in them is run.
//!
//! | layout | written by |
//! |---|---|
//! | `{'mu': …, 'sigma': …}`, or other names of both | StyleGAN2 in PyTorch, and many others |
//! | `{'fid': {'mu': …, 'sigma': …}, 'fd_dinov2': {…}, 'num_images': n}` | EDM2 |
//! | `{'raw_mean': …, 'raw_cov': …, 'num_items': n, …}`: sums over the images | the caches of StyleGAN2-ADA and StyleGAN3 |
//!
//! A `.npy` file of such a dict is one, behind a header.

mod arrays;

use std::io::Read;
use std::path::Path;

use ndarray::{Array1, Array2, Axis};

use super::archive::{HEAD, of_rank, vector_of};
use super::fault::Fault;
use crate::numpy::{Header, STATISTICS};
use crate::pickle::{Dialect, Global, Heap, Object, Origin, PickleError, Unpickler, Value};
use crate::regular;
use arrays::Known;

/// The set that is taken of several where none is asked for: what EDM2 calls the features of Inception.
const DEFAULT: &str = "fid";

/// Sums over the images instead of mean and covariance, and how many images these were.
const SUMS: [&str; 2] = ["raw_mean", "raw_cov"];
const COUNT: &str = "num_items";

/// Where EDM2 has the number of images, beside its sets.
const IMAGES: &str = "num_images";

/// Bytes that are read into memory: ten times what StyleGAN's caches have that keep the features of 50,000 images beside the sums.
const LARGEST: u64 = 1 << 32;

/// More keys than a dict of statistics has, by an order of magnitude.
const MOST_KEYS: usize = 256;

/// What holds statistics may name what arrays and dicts are made of, and nothing else.
const STRICT: Dialect =
    Dialect { allows: |global| Known::of(global).is_some(), bytes: true, instances: true, references: false };

/// Whatever a pickle names, its keys may tell what it is.
const ANY: Dialect = Dialect { allows: |_| true, bytes: true, instances: true, references: true };

/// What was found.
pub(super) struct Found {
    pub mean: Array1<f64>,
    pub covariance: Array2<f64>,
    /// Number of images, where the file tells.
    pub n: Option<u64>,
    /// What mean and covariance are called.
    pub arrays: [String; 2],
}

/// Why there is nothing.
pub(super) enum Refused {
    Fault(Fault),
    /// Neither the dict nor any in it has both; its keys.
    Missing(Vec<String>),
    /// Several have both; their keys.
    Several(Vec<String>),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Refused::Fault(fault)
    }
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Refused::Fault(reason.into())
    }
}

/// The pickle in a file; `None` where its first bytes are not those of one.
pub(super) fn pickle_in(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    let mut file = regular::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes)?;
    let start = match bytes[..] {
        // The protocols of Python 3.
        [0x80, 2..=5, ..] => 0,
        _ => match Header::of(&bytes).filter(Header::is_pickled) {
            Some(header) => header.start,
            None => return Ok(None),
        },
    };
    if file.metadata()?.len() > LARGEST {
        return Err(format!("its pickle has more than {LARGEST} bytes, and no statistics are that large").into());
    }
    file.read_to_end(&mut bytes)?;
    bytes.drain(..start);
    Ok(Some(bytes))
}

/// Whether a pickle has mean and covariance by its keys, or ends before that can be told. It may be refused when it is read.
pub(super) fn claims(bytes: &[u8]) -> bool {
    match Document::load(bytes, ANY) {
        Ok(document) => !document.sets().is_empty(),
        Err(error) => matches!(error, PickleError::Truncated { .. }),
    }
}

/// The sets of statistics in a pickle, by their keys: none where it is one itself.
pub(super) fn sets_in(bytes: &[u8]) -> Vec<String> {
    let document = Document::load(bytes, ANY);
    let sets = document.iter().flat_map(Document::sets).filter_map(|set| set.key.map(str::to_owned));
    sets.collect()
}

/// What mean and covariance are called of the set that [`read`] takes.
pub(super) fn arrays_in(bytes: &[u8], asked: Option<&str>) -> Option<[String; 2]> {
    let document = Document::load(bytes, ANY).ok()?;
    document.chosen(asked).ok().map(|set| set.arrays())
}

/// Reads the set that is asked for, if there is one of that key; else the only one, or that of Inception.
pub(super) fn read(bytes: &[u8], asked: Option<&str>) -> Result<Found, Refused> {
    let document = Document::load(bytes, STRICT).map_err(|error| match error {
        PickleError::ForbiddenGlobal { .. } | PickleError::Opcode { .. } => {
            // Python does run it.
            format!("{error}: if you trust it, load it in Python, and save `numpy.savez('x.npz', mu=…, sigma=…)`")
        }
        error => error.to_string(),
    })?;
    document.read(&document.chosen(asked)?)
}

/// Names of mean and covariance in a dict.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Statistics([&'static str; 2]),
    Sums,
}

impl Layout {
    fn names(self) -> [&'static str; 2] {
        match self {
            Layout::Statistics(names) => names,
            Layout::Sums => SUMS,
        }
    }
}

/// A dict with mean and covariance.
struct Set<'a> {
    /// Its key, where it lies in another.
    key: Option<&'a str>,
    dict: Value<'a>,
    layout: Layout,
}

impl Set<'_> {
    fn arrays(&self) -> [String; 2] {
        self.layout.names().map(|name| match self.key {
            Some(key) => format!("{key}.{name}"),
            None => name.to_owned(),
        })
    }
}

/// A pickle that was taken apart.
struct Document<'a> {
    heap: Heap<'a>,
    root: Value<'a>,
}

impl<'a> Document<'a> {
    fn load(bytes: &'a [u8], dialect: Dialect) -> Result<Self, PickleError> {
        let mut unpickler = Unpickler::new(bytes, dialect);
        let root = unpickler.load()?;
        let mut document = Self { heap: unpickler.into_heap(), root };
        document.root = document.only_item(root).unwrap_or(root);
        Ok(document)
    }

    fn object(&self, value: Value<'a>) -> Option<&Object<'a>> {
        match value {
            Value::Object(id) => Some(&self.heap.objects()[id]),
            _ => None,
        }
    }

    /// The function that would make an object, and its arguments.
    fn call(&self, object: &Object<'a>) -> Option<(Global<'a>, &[Value<'a>])> {
        match object.origin {
            Origin::Call { function, arguments } => Some((self.heap.global(function), self.heap.sequence(arguments))),
            Origin::Reference(_) => None,
        }
    }

    /// Keys and values of a dict, and of an object that is one; the attributes of an object of a class that is not known.
    fn items(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        let items = match value {
            Value::Dict(id) => self.heap.dict(id),
            _ => {
                let object = self.object(value)?;
                match (Known::of(self.call(object)?.0), object.state) {
                    (Some(Known::Dict), _) => &object.items,
                    (None, Some(Value::Dict(attributes))) => self.heap.dict(attributes),
                    (None, None) => &object.items,
                    _ => return None,
                }
            }
        };
        (items.len() <= MOST_KEYS).then_some(items)
    }

    /// A value of a dict; the last of that key, as in Python.
    fn get(&self, dict: Value<'a>, key: &str) -> Option<Value<'a>> {
        let found = self.items(dict)?.iter().rfind(|(found, _)| *found == Value::Str(key));
        found.map(|&(_, value)| value)
    }

    fn layout(&self, dict: Value<'a>) -> Option<Layout> {
        let has = |names: &[&str]| names.iter().all(|name| self.get(dict, name).is_some());
        let names = STATISTICS.into_iter().find(|names| has(names));
        names.map(Layout::Statistics).or_else(|| (has(&SUMS) && has(&[COUNT])).then_some(Layout::Sums))
    }

    fn keys(&self) -> Vec<&'a str> {
        let mut keys = Vec::new();
        for &(key, _) in self.items(self.root).unwrap_or_default() {
            match key {
                Value::Str(key) if !keys.contains(&key) => keys.push(key),
                _ => {}
            }
        }
        keys
    }

    /// The dict itself where it has mean and covariance, else those in it that have.
    fn sets(&self) -> Vec<Set<'a>> {
        let set = |key, dict| Some(Set { key, dict, layout: self.layout(dict)? });
        match set(None, self.root) {
            Some(whole) => vec![whole],
            None => self.keys().into_iter().filter_map(|key| set(Some(key), self.get(self.root, key)?)).collect(),
        }
    }

    fn chosen(&self, asked: Option<&str>) -> Result<Set<'a>, Refused> {
        let mut sets = self.sets();
        let keys = |keys: Vec<&str>| keys.into_iter().map(str::to_owned).collect();
        let place = |wanted: Option<&str>| sets.iter().position(|set| wanted.is_some() && set.key == wanted);
        match place(asked).or_else(|| (sets.len() == 1).then_some(0)).or_else(|| place(Some(DEFAULT))) {
            Some(place) => Ok(sets.swap_remove(place)),
            None if !sets.is_empty() => Err(Refused::Several(keys(sets.iter().filter_map(|set| set.key).collect()))),
            None if self.items(self.root).is_none() => {
                Err(format!("it holds {} where a dict of a few arrays was expected", self.root.describe()).into())
            }
            None => Err(Refused::Missing(keys(self.keys()))),
        }
    }

    fn read(&self, set: &Set<'a>) -> Result<Found, Refused> {
        if set.layout == Layout::Sums && self.get(set.dict, "capture_mean_cov") == Some(Value::Bool(false)) {
            let reason = "it has no sums of features, `capture_mean_cov` is False: load it in Python as `d`, and save its features \
                          by `numpy.save('x.npy', numpy.concatenate(d['all_features']))`";
            return Err(reason.to_owned().into());
        }
        let arrays = set.arrays();
        let within = |place: usize| {
            let part = format!("array `{}`", arrays[place]);
            move |fault: Fault| fault.within(&part)
        };
        let array = |place: usize| {
            let value = self.get(set.dict, set.layout.names()[place]).expect("the layout has it");
            self.array(value).map_err(Fault::from).map_err(within(place))
        };
        let mut mean = vector_of(array(0)?).map_err(within(0))?;
        let mut covariance: Array2<f64> = of_rank(array(1)?).map_err(within(1))?;
        let n = match set.layout {
            Layout::Statistics(_) => self.get(self.root, IMAGES).and_then(|images| self.count(images)),
            Layout::Sums => {
                let n = self.get(set.dict, COUNT).and_then(|items| self.count(items)).filter(|&n| n > 0);
                let n = n.ok_or_else(|| format!("its `{COUNT}` is not a number of images"))?;
                mean /= n as f64;
                covariance /= n as f64;
                if covariance.dim() == (mean.len(), mean.len()) {
                    covariance -= &(&mean.view().insert_axis(Axis(1)) * &mean);
                }
                Some(n)
            }
        };
        Ok(Found { mean, covariance, n, arrays })
    }
}

#[cfg(test)]
mod tests;
