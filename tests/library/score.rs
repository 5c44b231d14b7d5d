//! Many scores at once: what they need, whose definitions they follow, and what is said when something is missing.

use gan_metrics::metrics::{JackknifeOptions, PrdcOptions, RandomState, Set, fid, jackknife, prdc, vendi};
use gan_metrics::score::{Definitions, Metric, Need, Preset, Request, ScoreError, SetData, Subset, score};
use gan_metrics::stats::Features;
use ndarray::Axis;

use crate::support::gaussian;
use crate::support::made_features::Made;

fn set(seed: u32, n: usize) -> SetData {
    let features = Made::new(seed, n, 8).features();
    SetData { statistics: Some(gaussian(&features)), features: Some(features), ..SetData::default() }
}

fn request(metrics: &[Metric], preset: Preset) -> Request {
    let metrics = metrics.iter().copied().collect();
    Request { metrics, definitions: Definitions::of(preset), intervals: None }
}

#[test]
fn a_request_needs_what_its_scores_look_at_and_no_more() {
    let needs = |metrics: &[Metric], set| -> Vec<Need> {
        request(metrics, Preset::TorchFidelity).needs(set).into_iter().collect()
    };
    assert_eq!(needs(&[Metric::Fid], Set::Real), [Need::Statistics]);
    assert_eq!(needs(&[Metric::Kid, Metric::Prdc], Set::Fake), [Need::Features]);
    assert_eq!(needs(&[Metric::InceptionScore, Metric::Vendi], Set::Real), []);
    assert_eq!(needs(&[Metric::InceptionScore, Metric::Sfid], Set::Fake), [Need::Logits, Need::Spatial]);
    let with_interval =
        Request { intervals: Some(JackknifeOptions::default()), ..request(&[Metric::Fid], Preset::TorchFidelity) };
    assert!(with_interval.needs(Set::Fake).contains(&Need::Features));
    // Whatever a score says it needs is enough for it: nothing is reported missing when that much is there.
    for metric in Metric::ALL {
        let one = request(&[metric], Preset::TorchFidelity);
        let whole = |seed| {
            let mut data = SetData { spatial: Some(gaussian(&Made::new(seed, 30, 5).features())), ..set(seed, 30) };
            data.logits = Some(gan_metrics::stats::Logits::new(Made::new(seed, 30, 4).values()).unwrap());
            data.labels = Some((0..30).map(|row| format!("{}", row % 2)).collect());
            let keep = |need, which| one.needs(which).contains(&need);
            let of = |mut data: SetData, which| {
                data.statistics = data.statistics.filter(|_| keep(Need::Statistics, which));
                data.features = data.features.filter(|_| keep(Need::Features, which));
                data.logits = data.logits.filter(|_| keep(Need::Logits, which));
                data.spatial = data.spatial.filter(|_| keep(Need::Spatial, which));
                data.labels = data.labels.filter(|_| keep(Need::Labels, which));
                data
            };
            (of(data.clone(), Set::Real), of(data, Set::Fake))
        };
        let mut small = one.clone();
        small.definitions.kid.subset_size = 10;
        let (real, fake) = (whole(1).0, whole(2).1);
        let real = one.needs_real().then_some(&real);
        assert!(score(&small, real, &fake).is_ok(), "{metric}: {:?}", score(&small, real, &fake).err());
    }
}

#[test]
fn what_is_missing_is_named() {
    let fake = SetData { statistics: set(1, 20).statistics, ..SetData::default() };
    let missing = score(&request(&[Metric::Kid], Preset::default()), Some(&set(2, 20)), &fake).unwrap_err();
    assert_eq!(missing, ScoreError::Missing { metric: Metric::Kid, set: Set::Fake, need: Need::Features });
    let alone = score(&request(&[Metric::Fid], Preset::default()), None, &fake).unwrap_err();
    assert_eq!(alone.to_string(), "FID compares with real images: give them too");
}

#[test]
fn dgm_eval_compares_equal_numbers_of_images() {
    let (real, fake) = (set(3, 40), set(4, 25));
    let mut request = request(&[Metric::Prdc], Preset::DgmEval);
    let subset = |most| Some(Subset { most, seed: 13579 });
    let of = |request: &Request| score(request, Some(&real), &fake).unwrap().prdc.unwrap().score;
    let (x, y) = (real.features.as_ref().unwrap(), fake.features.as_ref().unwrap());
    // 25 of the 40 real images, drawn first, and all of the fake ones.
    assert_eq!(request.definitions.prdc.subset, subset(10_000));
    let mut random = RandomState::new(13579);
    let chosen = Features::new(x.view().select(Axis(0), &random.choice(40, 25))).unwrap();
    assert_eq!(of(&request), prdc(&chosen, y, PrdcOptions::PRDC).unwrap());
    // Fewer of both when told so.
    request.definitions.prdc.subset = subset(12);
    let mut random = RandomState::new(13579);
    let chosen = [x, y].map(|set| {
        let rows = random.choice(set.len(), 12);
        Features::new(set.view().select(Axis(0), &rows)).unwrap()
    });
    assert_eq!(of(&request), prdc(&chosen[0], &chosen[1], PrdcOptions::PRDC).unwrap());
}

#[test]
fn intervals_are_those_of_the_slow_obvious_way() {
    let (real, fake) = (set(5, 60), set(6, 50));
    let options = JackknifeOptions { groups: 5, ..JackknifeOptions::default() };
    let request = Request { intervals: Some(options), ..request(&[Metric::Fid, Metric::Vendi], Preset::TorchFidelity) };
    let found = score(&request, Some(&real), &fake).unwrap().intervals.unwrap();
    let (x, y) = (real.features.as_ref().unwrap(), fake.features.as_ref().unwrap());
    let expected =
        jackknife(x, y, options, |x, y| fid(&gaussian(x), &gaussian(y)).map(|fid| fid.value).map_err(ScoreError::from));
    assert_eq!(found.scores["fid"].interval, expected.unwrap());
    assert_eq!(found.scores["vendi"].interval.value, vendi(y, request.definitions.vendi).unwrap().value);
    assert_eq!(found.scores.len(), 2);
}

#[test]
fn each_preset_reports_what_its_tool_reports() {
    for (preset, name, scores) in [
        (Preset::TorchFidelity, "torch-fidelity", 4),
        (Preset::PytorchFid, "pytorch-fid", 1),
        (Preset::CleanFid, "clean-fid", 2),
        (Preset::Adm, "adm", 4),
        (Preset::DgmEval, "dgm-eval", 6),
    ] {
        assert_eq!((preset.to_string().as_str(), preset.metrics().len()), (name, scores));
        assert_eq!(Definitions::of(preset).preset, preset);
        assert_eq!(serde_json::to_value(preset).unwrap(), name);
    }
}
