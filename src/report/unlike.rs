//! In what two sets of images differ that no generator is to blame for, and what does not belong into one of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::warning::Warning;
use super::warnings::name;
use crate::evaluate::{Input, Measured, MeasuredSet};
use crate::image::DataSet;
use crate::stats::{Census, SizeCount, Sizes};

/// Shares of encodings and aspect ratios that differ by more than this differ in kind, not by chance.
const UNLIKE: f64 = 0.3;

/// Qualities of JPEG that differ by more leave other traces.
const QUALITIES: f64 = 5.0;

/// An image of another size has another area too: one that is turned does not stand out.
const OTHER_AREA: f64 = 1.2;

/// So many images that are in both sets are not a coincidence, such as one that is black.
const SHARED: usize = 2;

/// Share of the images that have the usual size, from which on the others are odd.
const USUAL: f64 = 0.9;

/// A set of fewer images has no usual size.
const FEW: u64 = 10;

/// Warnings about a set by itself.
pub(super) fn of_set(set: &MeasuredSet) -> Vec<Warning> {
    let Some(census) = census(&set.measured) else { return Vec::new() };
    let name = name(&set.measured.report);
    let gray: u64 = census.encodings.iter().filter(|(name, _)| name.ends_with(GRAY16)).map(|(_, images)| images).sum();
    let gray = (gray > 0).then(|| Warning::GrayClipped { set: name.clone(), images: gray });
    odd_sizes(name, census, set.input.images()).into_iter().chain(gray).collect()
}

/// How the encoding of 16-bit gray ends.
const GRAY16: &str = "16-bit gray";

/// One image of another size among equals is a grid of samples, or a picture of something else.
fn odd_sizes(set: String, census: &Census, images: Option<&DataSet>) -> Option<Warning> {
    let sizes = census.sizes.as_ref()?;
    let usual = sizes.usual()?;
    let total: u64 = sizes.counts.iter().map(|count| count.images).sum();
    if total < FEW || (usual.images as f64) < USUAL * total as f64 {
        return None;
    }
    let area = |count: &SizeCount| f64::from(count.width) * f64::from(count.height);
    let is_odd = |count: &&SizeCount| (area(count) / area(&usual)).ln().abs() > OTHER_AREA.ln();
    let odd: u64 = sizes.counts.iter().filter(is_odd).map(|count| count.images).sum();
    let example = sizes.counts.iter().filter(is_odd).min_by_key(|count| count.first)?;
    let example_name = match images {
        Some(images) => images.name(example.first).into_owned(),
        None => format!("image {}", example.first),
    };
    Some(Warning::OddSizes { set, usual: size(&usual), odd, example: format!("{example_name} is {}", size(example)) })
}

/// Warnings about a real and a generated set.
pub(super) fn of_pair(real: &MeasuredSet, fake: &MeasuredSet) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = nested(&real.input, &fake.input).into_iter().collect();
    let [(Some(ours), our_name), (Some(theirs), their_name)] =
        [real, fake].map(|set| (census(&set.measured), name(&set.measured.report)))
    else {
        return warnings;
    };
    let (digests, others) = (&real.measured.digests, &fake.measured.digests);
    // The same set twice is said in another way.
    let shared = digests.intersection(others).count();
    if shared >= SHARED && ours.content != theirs.content {
        warnings.push(Warning::SharedImages { images: shared });
    }
    let sets = [our_name, their_name];
    warnings.extend(sizes(&sets, [ours, theirs]));
    warnings.extend(aspects(&sets, [ours, theirs]));
    warnings.extend(encodings(&sets, [ours, theirs]));
    warnings
}

/// One folder below the other: the images of the inner one are in both.
fn nested(real: &Input, fake: &Input) -> Option<Warning> {
    let folder = |input: &Input| input.images()?.path().canonicalize().ok().filter(|path| path.is_dir());
    let (ours, theirs) = (folder(real)?, folder(fake)?);
    let shown = |path: &Path| path.display().to_string();
    let [real, fake] = [real, fake].map(|input| shown(input.path()));
    if ours == theirs {
        None
    } else if theirs.starts_with(&ours) {
        Some(Warning::Nested { inner: fake, outer: real })
    } else if ours.starts_with(&theirs) {
        Some(Warning::Nested { inner: real, outer: fake })
    } else {
        None
    }
}

/// Sets of other sizes: by the usual ones, or, where there is none, where no image of the one has a size as in the other.
fn sizes(names: &[String; 2], pair: [&Census; 2]) -> Option<Warning> {
    let [ours, theirs] = pair.map(|census| census.sizes.as_ref());
    let (ours, theirs) = (ours?, theirs?);
    let apart = |a: [u32; 2], b: [u32; 2]| a[1] < b[0] || b[1] < a[0];
    let differ = match (ours.usual(), theirs.usual()) {
        (Some(ours), Some(theirs)) => (ours.width, ours.height) != (theirs.width, theirs.height),
        _ => apart(ours.width, theirs.width) && apart(ours.height, theirs.height),
    };
    let shown = |sizes: &Sizes| sizes.usual().map_or_else(|| range_of(sizes), |usual| size(&usual));
    differ.then(|| Warning::DifferentSizes { sets: names.clone(), sizes: [shown(ours), shown(theirs)] })
}

/// Sets of which the one is squeezed to the network's input and the other is not.
fn aspects(names: &[String; 2], pair: [&Census; 2]) -> Option<Warning> {
    let shares = pair.map(|census| {
        let images: u64 = census.encodings.values().sum();
        Some(census.sizes.as_ref()?.squeezed as f64 / images.max(1) as f64)
    });
    let [Some(ours), Some(theirs)] = shares else { return None };
    let sets = names.clone();
    ((ours - theirs).abs() > UNLIKE).then_some(Warning::DifferentAspects { sets, squeezed: [ours, theirs] })
}

/// Sets that are mostly encoded in other ways. Encodings without loss are one: the pixels are the same.
fn encodings(names: &[String; 2], pair: [&Census; 2]) -> Option<Warning> {
    let kinds = pair.map(|census| {
        let mut kinds: BTreeMap<&str, f64> = BTreeMap::new();
        let total: u64 = census.encodings.values().sum();
        for (name, images) in &census.encodings {
            *kinds.entry(kind(name)).or_default() += *images as f64 / total.max(1) as f64;
        }
        kinds
    });
    let [ours, theirs] = &kinds;
    // The total variation distance.
    let more = |(kind, share): (&&str, &f64)| (share - theirs.get(kind).unwrap_or(&0.0)).max(0.0);
    let distance: f64 = ours.iter().map(more).sum();
    let largest = |kinds: &BTreeMap<&str, f64>| {
        let most = kinds.iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
        most.map_or_else(String::new, |(kind, share)| match share {
            1.0 => (*kind).to_owned(),
            share => format!("{kind} ({:.0} %)", 100.0 * share),
        })
    };
    let sets = names.clone();
    if distance > UNLIKE {
        return Some(Warning::DifferentEncodings { sets, encodings: [largest(ours), largest(theirs)] });
    }
    let [Some(our_quality), Some(their_quality)] = pair.map(quality) else { return None };
    let shown = |quality: f64| format!("JPEG of quality {quality:.0} on average");
    ((our_quality - their_quality).abs() > QUALITIES)
        .then(|| Warning::DifferentEncodings { sets, encodings: [shown(our_quality), shown(their_quality)] })
}

/// The mean quality of the JPEG files of a set that is mostly such.
fn quality(census: &Census) -> Option<f64> {
    let known = census.encodings.iter().filter_map(|(name, &images)| {
        let quality: f64 = name.strip_prefix("JPEG quality ")?.split(' ').next()?.parse().ok()?;
        Some((quality, images as f64))
    });
    let (sum, images) = known.fold((0.0, 0.0), |(sum, all), (quality, images)| (sum + quality * images, all + images));
    let total = census.encodings.values().sum::<u64>() as f64;
    (images > total / 2.0).then(|| sum / images)
}

/// An encoding, as far as it changes pixels.
fn kind(encoding: &str) -> &str {
    let is_lossless = ["PNG", "BMP", "TIFF", "PNM", "levels"].iter().any(|name| encoding.starts_with(name));
    if is_lossless || encoding.ends_with("without loss") {
        "without loss"
    } else if encoding.starts_with("JPEG") {
        "JPEG"
    } else {
        encoding
    }
}

fn census(set: &Measured) -> Option<&Census> {
    set.provenance.as_ref()?.census.as_ref()
}

/// The widths and heights of some images, as `300–640×200`.
pub(super) fn range_of(sizes: &Sizes) -> String {
    let range = |[least, most]: [u32; 2]| if least == most { least.to_string() } else { format!("{least}–{most}") };
    format!("{}×{}", range(sizes.width), range(sizes.height))
}

fn size(count: &SizeCount) -> String {
    format!("{}×{}", count.width, count.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of these encodings and sizes, for a square input.
    fn census(images: &[(&str, [u32; 2], usize)]) -> Census {
        let mut census = Census::default();
        for (encoding, size, count) in images {
            for _ in 0..*count {
                let index = census.encodings.values().sum::<u64>() as usize;
                census.add(index, &[0; 32], (*encoding).to_owned(), *size, [299, 299]);
            }
        }
        census
    }

    fn names() -> [String; 2] {
        ["real", "fake"].map(str::to_owned)
    }

    #[test]
    fn one_image_among_equals_is_named() {
        let samples = census(&[("PNG", [64, 64], 30), ("PNG", [530, 530], 1), ("PNG", [64, 64], 9)]);
        let found = odd_sizes("fake".into(), &samples, None);
        let expected = Warning::OddSizes {
            set: "fake".into(),
            usual: "64×64".into(),
            odd: 1,
            example: "image 30 is 530×530".into(),
        };
        assert_eq!(found, Some(expected));
        let turned = census(&[("PNG", [64, 48], 38), ("PNG", [48, 64], 2)]);
        for none in [turned, census(&[("PNG", [64, 64], 40)]), census(&[("PNG", [64, 64], 30), ("PNG", [32, 32], 10)])]
        {
            assert_eq!(odd_sizes("fake".into(), &none, None), None);
        }
    }

    #[test]
    fn sets_of_other_sizes_are_told_apart() {
        let of = |first: &[(&str, [u32; 2], usize)], second: &[(&str, [u32; 2], usize)]| {
            sizes(&names(), [&census(first), &census(second)]).map(|warning| match warning {
                Warning::DifferentSizes { sizes, .. } => sizes,
                other => panic!("{other:?}"),
            })
        };
        let large = [("PNG", [256, 256], 8)];
        let expected = Some(["256×256".to_owned(), "32×32".to_owned()]);
        assert_eq!(of(&large, &[("PNG", [32, 32], 8)]), expected);
        assert_eq!(of(&large, &large), None);
        // Photographs of all sizes beside images of one: only when no photograph is that small.
        let photographs = [("PNG", [300, 200], 1), ("PNG", [500, 300], 1), ("PNG", [640, 480], 1)];
        assert_eq!(of(&photographs, &[("PNG", [400, 256], 8)]), None);
        let expected = Some(["300–640×200–480".to_owned(), "64×64".to_owned()]);
        assert_eq!(of(&photographs, &[("PNG", [64, 64], 5)]), expected);
    }

    #[test]
    fn sets_of_other_aspects_are_told_apart() {
        let found = aspects(&names(), [&census(&[("PNG", [178, 218], 8)]), &census(&[("PNG", [64, 64], 8)])]);
        assert_eq!(found, Some(Warning::DifferentAspects { sets: names(), squeezed: [1.0, 0.0] }));
        let mixed = census(&[("PNG", [178, 218], 2), ("PNG", [64, 64], 6)]);
        assert_eq!(aspects(&names(), [&mixed, &census(&[("PNG", [64, 64], 8)])]), None);
    }

    #[test]
    fn encodings_count_where_they_change_pixels() {
        let of = |first: &[(&str, usize)], second: &[(&str, usize)]| {
            let [first, second] = [first, second].map(|encodings| {
                let images: Vec<_> = encodings.iter().map(|&(name, count)| (name, [8, 8], count)).collect();
                census(&images)
            });
            encodings(&names(), [&first, &second]).map(|warning| match warning {
                Warning::DifferentEncodings { encodings, .. } => encodings,
                other => panic!("{other:?}"),
            })
        };
        let jpeg = "JPEG quality 50 4:2:0";
        assert_eq!(of(&[("PNG", 8)], &[(jpeg, 6), ("BMP", 2)]), Some(["without loss".into(), "JPEG (75 %)".into()]));
        assert_eq!(of(&[("PNG", 8)], &[(jpeg, 4), ("PNG", 4)]).unwrap()[0], "without loss");
        assert_eq!(of(&[("PNG", 8)], &[("PNM", 4), ("WebP without loss", 4)]), None);
        assert_eq!(of(&[("JPEG quality 75 4:2:0", 8)], &[("JPEG quality 74 4:4:4", 8)]), None);
        assert_eq!(of(&[("PNG", 8)], &[("levels", 3), ("BMP", 2)]), None);
        assert_eq!(of(&[(jpeg, 6), ("PNG", 2)], &[(jpeg, 4), ("PNG", 4)]), None);
        let expected = Some([90, 50].map(|quality| format!("JPEG of quality {quality} on average")));
        assert_eq!(of(&[("JPEG quality 90 4:2:0", 9)], &[(jpeg, 9)]), expected);
    }
}
