//! Many scores at once: what they need, whose definitions they follow, and what becomes of one that fails.

use std::time::{Duration, Instant};

use gan_metrics::Interrupt;
use gan_metrics::metrics::{
    JackknifeOptions, KidOptions, PrdcDefinition, PrdcOptions, RandomState, Set, Subset, VendiOptions, fid, jackknife,
    prdc, registry, vendi,
};
use gan_metrics::score::{
    Definitions, FailedPart, IntervalRequest, Metric, MetricError, Need, Preset, Request, Scores, SetData, score,
};
use gan_metrics::stats::{Features, Gaussian, Logits};
use ndarray::{Array2, Axis};

use crate::support::gaussian;
use crate::support::made_features::Made;

fn set(seed: u32, n: usize) -> SetData {
    let features = Made::new(seed, n, 8).features();
    SetData { statistics: Some(gaussian(&features)), features: Some(features), ..SetData::default() }
}

fn request(names: &[&str], preset: Preset) -> Request {
    let request = Request::of(names.iter().copied()).unwrap();
    Request { definitions: Definitions::of(preset), ..request }
}

fn metric(name: &str) -> Metric {
    name.parse().unwrap()
}

fn with_intervals(request: Request, definition: JackknifeOptions) -> Request {
    let metrics = request.metrics.clone();
    Request { intervals: Some(IntervalRequest { definition, metrics }), ..request }
}

fn scores(request: &Request, real: Option<&SetData>, fake: &SetData) -> Scores {
    score(request, real, fake, &Interrupt::new()).unwrap()
}

#[test]
fn a_request_needs_what_its_scores_look_at_and_no_more() {
    let needs =
        |names: &[&str], set| -> Vec<Need> { request(names, Preset::TorchFidelity).needs(set).into_iter().collect() };
    assert_eq!(needs(&["fid"], Set::Real), [Need::Statistics]);
    assert_eq!(needs(&["kid", "prdc"], Set::Fake), [Need::Features]);
    assert_eq!(needs(&["is", "vendi"], Set::Real), []);
    assert_eq!(needs(&["is", "sfid"], Set::Fake), [Need::Logits, Need::Spatial]);
    let with_interval = with_intervals(request(&["fid"], Preset::TorchFidelity), JackknifeOptions::default());
    assert!(with_interval.needs(Set::Fake).contains(&Need::Features));
    // Whatever a score says it needs is enough for it: nothing is reported missing when that much is there.
    for metric in Metric::all() {
        let mut one = request(&[metric.about().name], Preset::TorchFidelity);
        one.definitions.change(|kid: &mut KidOptions| kid.subset_size = 10);
        let whole = |seed| {
            let mut data = SetData { spatial: Some(gaussian(&Made::new(seed, 30, 5).features())), ..set(seed, 30) };
            data.logits = Some(Logits::new(Made::new(seed, 30, 4).values()).unwrap());
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
        let (real, fake) = (whole(1).0, whole(2).1);
        let real = one.needs_real().then_some(&real);
        let found = scores(&one, real, &fake);
        assert!(found.failed().is_empty(), "{metric}: {:?}", found.failed());
        // And every number that it says it has is there, within its range.
        let value = found.get(metric).unwrap();
        assert_eq!(value.numbers.len(), metric.about().quantities.len(), "{metric}");
        for (number, quantity) in value.numbers.iter().zip(metric.about().quantities) {
            let [least, most] = quantity.range;
            assert!((least..=most).contains(&number.value), "{metric}: {} is {}", quantity.name, number.value);
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let fake = SetData { statistics: set(1, 20).statistics, ..SetData::default() };
    let missing = scores(&request(&["kid"], Preset::default()), Some(&set(2, 20)), &fake);
    let expected = MetricError::Missing { score: "KID", set: Set::Fake, need: Need::Features };
    assert_eq!(missing.failed()[0].error, expected);
    let alone = scores(&request(&["fid"], Preset::default()), None, &fake);
    assert_eq!(alone.failed()[0].error.to_string(), "FID compares with real images: give them too");
}

#[test]
fn a_score_that_fails_costs_itself_alone() {
    let (real, mut fake) = (set(1, 50), set(2, 50));
    // A row without direction: no cosine, and so no Vendi score and no MMD of unit vectors.
    let mut rows = fake.features.as_ref().unwrap().view().to_owned();
    rows.row_mut(7).fill(0.0);
    fake.features = Some(Features::new(rows).unwrap());
    let found = scores(&request(&["fid", "vendi", "mmd", "prdc"], Preset::default()), Some(&real), &fake);
    assert!(found.number("fid").is_some() && found.number("precision").is_some());
    let failed: Vec<_> = found.failed().iter().map(|failure| (failure.metric, failure.part)).collect();
    assert_eq!(failed, [(metric("mmd"), FailedPart::Score), (metric("vendi"), FailedPart::Score)]);
    assert!(found.failed()[1].error.to_string().contains("row 7 of the fake set is zero"));
}

#[test]
fn an_interval_that_fails_leaves_its_score() {
    let (real, fake) = (set(1, 30), set(2, 30));
    let asked = with_intervals(request(&["fid", "vendi"], Preset::default()), JackknifeOptions::default());
    let found = scores(&asked, Some(&real), &fake);
    assert!(found.number("fid").is_some() && found.number("vendi").is_some());
    let failed: Vec<_> = found.failed().iter().map(|failure| (failure.metric, failure.part)).collect();
    assert_eq!(failed, [(metric("fid"), FailedPart::Interval), (metric("vendi"), FailedPart::Interval)]);
}

#[test]
fn scoring_stops_when_it_is_asked_to() {
    let (real, fake) = (set(1, 30), set(2, 30));
    let interrupt = Interrupt::new();
    interrupt.request();
    for metric in Metric::all() {
        let one = request(&[metric.about().name], Preset::default());
        assert!(score(&one, Some(&real), &fake, &interrupt).is_err(), "{metric}");
    }
}

/// What stops the work is asked by the work itself, not by whoever ends the process.
#[test]
fn long_scores_stop_soon_after_they_are_asked_to() {
    const SLACK: Duration = Duration::from_secs(10);
    let big = |seed| {
        let features = Made::new(seed, 6000, 64).features();
        SetData { features: Some(features), ..SetData::default() }
    };
    let (real, fake) = (big(1), big(2));
    // Minutes each: many subsets, or a score computed forty times more.
    let mut kid = request(&["kid"], Preset::default());
    kid.definitions.change(|kid: &mut KidOptions| kid.subsets = 100_000);
    let prdc = with_intervals(request(&["prdc"], Preset::default()), JackknifeOptions::default().with_groups(2000));
    for request in [kid, prdc] {
        let interrupt = Interrupt::new();
        let stopped = std::thread::scope(|scope| {
            let work = scope.spawn(|| score(&request, Some(&real), &fake, &interrupt));
            std::thread::sleep(Duration::from_millis(500));
            let asked = Instant::now();
            interrupt.request();
            (work.join().unwrap(), asked.elapsed())
        });
        assert!(stopped.0.is_err(), "it should have taken longer");
        assert!(stopped.1 < SLACK, "{:?}", stopped.1);
    }
}

#[test]
fn dgm_eval_compares_equal_numbers_of_images() {
    let (real, fake) = (set(3, 40), set(4, 25));
    let mut request = request(&["prdc"], Preset::DgmEval);
    let subset = |most| Some(Subset { most, seed: 13579 });
    let names = ["precision", "recall", "f-score", "density", "coverage"];
    let of = |request: &Request| {
        let found = scores(request, Some(&real), &fake);
        names.map(|name| found.number(name).unwrap())
    };
    let expected = |real: &Features, fake: &Features| {
        let found = prdc(real, fake, PrdcOptions::PRDC).unwrap();
        [found.precision, found.recall, found.f_score, found.density, found.coverage]
    };
    let (x, y) = (real.features.as_ref().unwrap(), fake.features.as_ref().unwrap());
    // 25 of the 40 real images, drawn first, and all of the fake ones.
    assert_eq!(request.definitions.get::<PrdcDefinition>().subset, subset(10_000));
    let mut random = RandomState::new(13579);
    let chosen = Features::new(x.view().select(Axis(0), &random.choice(40, 25))).unwrap();
    assert_eq!(of(&request), expected(&chosen, y));
    // Fewer of both when told so.
    request.definitions.change(|prdc: &mut PrdcDefinition| prdc.subset = subset(12));
    let mut random = RandomState::new(13579);
    let chosen = [x, y].map(|set| {
        let rows = random.choice(set.len(), 12);
        Features::new(set.view().select(Axis(0), &rows)).unwrap()
    });
    assert_eq!(of(&request), expected(&chosen[0], &chosen[1]));
}

#[test]
fn intervals_are_those_of_the_slow_obvious_way() {
    let (real, fake) = (set(5, 60), set(6, 50));
    let options = JackknifeOptions::default().with_groups(5);
    let request = with_intervals(request(&["fid", "vendi"], Preset::TorchFidelity), options);
    let found = scores(&request, Some(&real), &fake);
    let (x, y) = (real.features.as_ref().unwrap(), fake.features.as_ref().unwrap());
    let distance = |x: &Features, y: &Features| fid(&gaussian(x), &gaussian(y)).map(|fid| fid.value);
    let expected = jackknife(x, y, options, |x, y| distance(x, y).map_err(MetricError::from));
    assert_eq!(found.interval("fid".parse().unwrap()).unwrap().interval, expected.unwrap());
    let vendi_score = vendi(y, VendiOptions::default()).unwrap().value;
    assert_eq!(found.interval("vendi".parse().unwrap()).unwrap().interval.value, vendi_score);
    assert_eq!(found.intervals().unwrap().scores.len(), 2);
}

#[test]
fn sets_are_the_same_by_all_that_is_known_of_them() {
    let statistics = |mean: f64, variance: f64| {
        let gaussian = Gaussian::new(None, ndarray::array![mean, 0.0], Array2::eye(2) * variance).unwrap();
        SetData { statistics: Some(gaussian), ..SetData::default() }
    };
    assert!(statistics(1.0, 2.0).same_as(&statistics(1.0, 2.0)));
    assert!(!statistics(1.0, 2.0).same_as(&statistics(1.0, 3.0)), "another covariance is another set");
    assert!(!statistics(1.0, 2.0).same_as(&statistics(0.0, 2.0)));
    assert!(set(1, 20).same_as(&set(1, 20)) && !set(1, 20).same_as(&set(2, 20)));
    assert!(!SetData::default().same_as(&SetData::default()), "nothing is known of either");
}

#[test]
fn each_preset_reports_what_its_tool_reports() {
    for (preset, name, scores) in [
        (Preset::TorchFidelity, "torch-fidelity", &["fid", "is", "kid", "prdc"][..]),
        (Preset::PytorchFid, "pytorch-fid", &["fid"]),
        (Preset::CleanFid, "clean-fid", &["fid", "kid"]),
        (Preset::Adm, "adm", &["fid", "sfid", "is", "prdc"]),
        (Preset::DgmEval, "dgm-eval", &["fid", "is", "kid", "prdc", "authpct", "vendi", "fid-infinity"]),
    ] {
        let found: Vec<&str> = Metric::of_preset(preset).map(|metric| metric.about().name).collect();
        assert_eq!((preset.to_string().as_str(), found.as_slice()), (name, scores));
        assert_eq!(Definitions::of(preset).preset(), preset);
        assert_eq!(serde_json::to_value(preset).unwrap(), name);
        assert_eq!(name.parse(), Ok(preset));
    }
}

/// Writes the table anew when `UPDATE_DOCS` is set.
#[test]
fn the_table_of_scores_in_the_documentation_is_that_of_the_registry() {
    let (path, begin, end) = ("docs/metrics.md", "<!-- scores -->\n", "<!-- end of scores -->");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(begin).expect("the table is marked");
    let (table, after) = rest.split_once(end).expect("the end of the table is marked");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, [before, begin, &registry::table(), end, after].concat()).unwrap();
    } else {
        assert_eq!(table, registry::table(), "run this test with UPDATE_DOCS=1");
    }
}

/// Of each score, with a picture, and named by the contents of the site and by the reference.
#[test]
fn every_score_has_a_page() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (contents, reference) = (read("mkdocs.yml"), read("docs/metrics.md"));
    for metric in Metric::all() {
        let name = metric.about().name;
        let page = format!("scores/{name}.md");
        assert!(read(&format!("docs/{page}")).contains(&format!("pictures/scores/{name}.svg")), "{page}");
        assert!(contents.contains(&page) && reference.contains(&page), "{page} is not linked");
    }
}
