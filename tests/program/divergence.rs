//! `gan-metrics divergence`, as users run it.

use std::fs;
use std::process::Output;

use ndarray::{Array1, Array2, array};
use serde_json::Value;

use crate::support::{fails, json, program, text};

/// The library's own tests bound the errors; here the last digits that survive a decimal detour must agree.
const PRINTED: f64 = 1e-12;

fn run(arguments: &[&str]) -> Output {
    program().arg("divergence").args(arguments).output().unwrap()
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    json(run(&[arguments, &["--json"]].concat()))["rows"].as_array().unwrap().clone()
}

fn value(arguments: &[&str]) -> f64 {
    rows(arguments)[0]["value"].as_f64().unwrap()
}

fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= PRINTED * (1.0 + expected.abs()), "{actual} is not {expected}");
}

#[test]
fn probabilities_by_option_and_by_position() {
    let expected = 0.2 * 0.4_f64.ln() + 0.8 * 1.6_f64.ln();
    assert_close(value(&["kl", "--p", "0.2,0.8", "--q", "0.5,0.5"]), expected);
    assert_close(value(&["kl", "0.2,0.8", "0.5,0.5"]), expected);
    assert_close(value(&["kl", "0.2,0.8", "0.5,0.5", "--base", "2"]), expected / std::f64::consts::LN_2);
    assert_close(value(&["kl", "1,4", "7,7", "--normalize"]), expected);
    let printed = text(&run(&["kl", "0.2,0.8", "0.5,0.5"]).stdout);
    assert!(printed.contains("kullback-leibler") && printed.contains("0.192744757 nats"), "{printed}");
}

#[test]
fn infinities_are_values() {
    let row = &rows(&["kl", "1,0", "0,1"])[0];
    assert_eq!((row["value"].as_str(), row["method"].as_str()), (Some("inf"), Some("exact")));
    assert!(text(&run(&["kl", "1,0", "0,1"]).stdout).contains('∞'));
    assert_close(value(&["js", "1,0", "0,1"]), std::f64::consts::LN_2);
    assert_eq!(value(&["tv", "1,0", "0,1"]), 1.0);
    assert_eq!(value(&["w1", "1,0", "0,1", "--points", "0,-3.5"]), 3.5);
}

#[test]
fn files_of_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("p.csv"), "0.2, 0.8\n").unwrap();
    fs::write(path("q.csv"), "0.5\n0.5\n").unwrap();
    assert_close(value(&["tv", "--p", &path("p.csv"), "--q", &path("q.csv")]), 0.3);

    // N(0, I) and N((3, 4), 4·I): W₂² = 25 + 2, KL = ½·2·(1/4 − 1 + ln 4) + 25/8.
    let gaussian = |name: &str, mean: Array1<f64>, variance: f64| {
        let mut file = ndarray_npy::NpzWriter::new(fs::File::create(path(name)).unwrap());
        file.add_array("mu", &mean).unwrap();
        file.add_array("sigma", &(Array2::<f64>::eye(2) * variance)).unwrap();
        file.finish().unwrap();
    };
    gaussian("p.npz", array![0.0, 0.0], 1.0);
    gaussian("q.npz", array![3.0, 4.0], 4.0);
    let (p, q) = (path("p.npz"), path("q.npz"));
    assert_close(value(&["w2", &p, &q]), 27.0_f64.sqrt());
    assert_close(value(&["kl", &p, &q]), 0.25 - 1.0 + 4.0_f64.ln() + 25.0 / 8.0);
    let js = &rows(&["js", &p, &q, "--samples", "2000"])[0];
    assert_eq!(js["method"], "monte-carlo");
    let interval = &js["uncertainty"];
    assert!(interval["lower"].as_f64() < js["value"].as_f64() && js["value"].as_f64() < interval["upper"].as_f64());

    let samples = |name: &str, shift: f64| {
        let column = Array1::from_shape_fn(400, |i| (i as f64 * 0.618_033_988_749_895).fract() + shift);
        ndarray_npy::write_npy(path(name), &column).unwrap();
    };
    samples("p.npy", 0.0);
    samples("q.npy", 0.25);
    let (p, q) = (path("p.npy"), path("q.npy"));
    assert_close(value(&["w1", &p, &q]), 0.25);
    // Four bins over [0, 1.25): what P and Q have in common is three quarters.
    let tv = value(&["tv", &p, &q, "--estimator", "histogram", "--bins", "5"]);
    assert!((tv - 0.25).abs() < 0.02, "{tv}");
    assert_eq!(rows(&["kl", &p, &q, "--estimator", "knn"])[0]["method"], "nearest-neighbours");
    let bound = &rows(&["js", &p, &q, "--estimator", "variational"])[0];
    assert_eq!(bound["method"], "lower-bound");
    assert!(bound["value"].as_f64().unwrap() < std::f64::consts::LN_2);
    let network = ["js", &p, &q, "--estimator", "variational", "--critic", "mlp", "--hidden", "4"];
    assert!(value(&network) < std::f64::consts::LN_2);
    fails(run(&[&network[..7], &["--hidden", "0"]].concat()), 2, &["--hidden", "from 1 to 4096"]);
    fails(run(&["kl", &p, &q]), 2, &["--estimator histogram, knn or variational"]);
    fails(run(&["kl", &p, "0.5,0.5"]), 2, &["P is samples and Q is probabilities"]);
}

#[test]
fn densities_say_how_they_were_computed() {
    let normal = &rows(&["kl", "normal(0,1)", "normal(1,2)"])[0];
    assert_eq!(normal["method"], "closed-form");
    assert_close(normal["value"].as_f64().unwrap(), 2.0_f64.ln() + 2.0 / 8.0 - 0.5);
    let laplace = &rows(&["kl", "--p", "normal(0,1)", "--q", "laplace(0,1)"])[0];
    assert_eq!(laplace["method"], "quadrature");
    let pi = std::f64::consts::PI;
    assert_close(laplace["value"].as_f64().unwrap(), 2.0_f64.ln() + (2.0 / pi).sqrt() - 0.5 * (2.0 * pi).ln() - 0.5);
    assert!(laplace["uncertainty"]["error"].as_f64().unwrap() < 1e-12);
}

#[test]
fn nearby_densities_have_every_value() {
    // By mpmath: W₁ is 5e-6, W₁ and W₂ of a shift are the shift.
    assert_close(value(&["w1", "uniform(0,1)", "uniform(0,1.00001)"]) / 5e-6, 1.000_000_000_006_551_2);
    let all = rows(&["all", "normal(0,1)", "normal(0.00005,1)"]);
    assert!(all.iter().all(|row| row["value"].is_f64()), "{all:#?}");
    let shift = |measure: &str| all.iter().find(|row| row["measure"] == measure).unwrap();
    for measure in ["wasserstein(1)", "wasserstein(2)"] {
        let row = shift(measure);
        let (value, error) = (row["value"].as_f64().unwrap(), row["uncertainty"]["error"].as_f64().unwrap());
        assert!((value - 5e-5).abs() <= error && error < 1e-12, "{row}");
    }
}

#[test]
fn what_is_too_large_is_told_from_infinity() {
    let row = &rows(&["pearson", "normal(0,1)", "normal(40,1)"])[0];
    assert_close(row["log_value"].as_f64().unwrap(), 1600.0);
    assert!(row["value"].as_str().unwrap().ends_with("e694"), "{row}");
    assert!(text(&run(&["pearson", "0.5,0.5", "5e-324,1"]).stdout).contains("e322 = exp(743.0"));
    assert!(rows(&["pearson", "1,0", "0,1"])[0].get("log_value").is_none());
}

#[test]
fn memory_is_asked_for_after_the_size_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("p.csv");
    fs::write(&csv, "1\n".repeat(100_000)).unwrap();
    let csv = csv.to_str().unwrap();
    fails(run(&["w1", csv, csv, "--normalize", "--sinkhorn", "1"]), 2, &["100000 and 100000 points take 80.0 GB"]);
}

#[test]
fn what_fails_among_all_costs_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let gaussian = |name: &str, mean: f64| {
        let mut file = ndarray_npy::NpzWriter::new(fs::File::create(path(name)).unwrap());
        file.add_array("mu", &array![mean, 0.0]).unwrap();
        file.add_array("sigma", &array![[1.0, 0.0], [0.0, 0.0]]).unwrap();
        file.finish().unwrap();
    };
    gaussian("p.npz", 0.0);
    gaussian("q.npz", 3.0);
    let output = run(&["all", &path("p.npz"), &path("q.npz")]);
    assert_eq!(output.status.code(), Some(2));
    let printed = text(&output.stdout);
    assert!(
        printed.contains("kullback-leibler") && printed.contains("not available: the covariance of Q"),
        "{printed}"
    );
    assert!(printed.contains("wasserstein(2)") && printed.contains("3.000000000"), "{printed}");
}

#[test]
fn lists_and_games() {
    let all = rows(&["all", "0.2,0.8", "0.5,0.5"]);
    assert!(all.len() > 15 && all.iter().any(|row| row["measure"] == "wasserstein(1)"));
    let printed = text(&run(&["all", "0.2,0.8", "0.5,0.5"]).stdout);
    // The first line says what P and Q are.
    assert!(printed.starts_with("D(P‖Q), P = 0.2,0.8, Q = 0.5,0.5\n"), "{printed}");
    assert_eq!(printed.lines().count(), 1 + all.len());
    let game = rows(&["gan-value", "0.25,0.75", "0.75,0.25"]);
    assert_close(game[0]["value"].as_f64().unwrap(), 2.0 * game[1]["value"].as_f64().unwrap() - 4.0_f64.ln());
    assert_eq!((game[2]["measure"].as_str(), game[2]["value"].as_f64()), (Some("D*(0)"), Some(0.25)));
}

#[test]
fn names_are_listed_and_have_aliases() {
    let listing = json(run(&["list", "--json"]));
    let named =
        |name: &str| listing["divergences"].as_array().unwrap().iter().find(|entry| entry["name"] == name).cloned();
    assert_eq!(named("total-variation").unwrap()["range"], serde_json::json!(["0", "1"]));
    assert_eq!(named("kullback-leibler").unwrap()["symmetric"], false);
    let printed = text(&run(&["list"]).stdout);
    for part in ["jensen-shannon (js)", "wasserstein(r) (w3", "gamma(shape, rate)", "(also exp)"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    fails(run(&["list", "0.2,0.8"]), 2, &["takes --json alone"]);
    fails(run(&["kl", "0.2,0.8"]), 2, &["Q is missing"]);
    let (p, q) = ("0.2,0.8", "0.5,0.5");
    for (alias, name) in [
        ("hellinger", "squared-hellinger"),
        ("jensen_shannon", "js"),
        ("Total_Variation", "tv"),
        ("w3", "wasserstein(3)"),
    ] {
        assert_eq!(value(&[alias, p, q]), value(&[name, p, q]), "{alias}");
    }
    assert_eq!(value(&["kl", "N(0,1)", "gaussian(1,2)"]), value(&["kl", "normal(0,1)", "normal(1,2)"]));
    fails(run(&["renyi", p, q]), 2, &["`renyi` needs its order"]);
}

#[test]
fn plans_and_potentials_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (plan, potentials) = (path("plan.csv"), path("dual.csv"));
    let arguments = ["w1", "0.5,0.25,0.25", "0,0.5,0.5", "--points", "0,1,3", "--json"];
    let output = run(&[&arguments[..], &["--transport-plan", &plan, "--potentials", &potentials]].concat());
    let distance = json(output)["rows"][0]["value"].as_f64().unwrap();
    assert_eq!(distance, 1.0);
    let table = |path: &str| -> Vec<Vec<String>> {
        let content = fs::read_to_string(path).unwrap();
        content.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let points = [0.0_f64, 1.0, 3.0];
    let number = |text: &String| text.parse::<f64>().unwrap();
    let at = |text: &String| points[text.parse::<usize>().unwrap()];
    let cost: f64 = table(&plan).iter().map(|row| number(&row[2]) * (at(&row[0]) - at(&row[1])).abs()).sum();
    assert_close(cost, distance);
    // The Kantorovich–Rubinstein function: E_p φ − E_q φ is the distance, and φ is 1-Lipschitz.
    let potential: Vec<f64> = table(&potentials).iter().take(3).map(|row| number(&row[2])).collect();
    let difference = [0.5, -0.25, -0.25].iter().zip(&potential).map(|(p, f)| p * f).sum::<f64>();
    assert_close(difference, distance);
    assert!((potential[0] - potential[1]).abs() <= 1.0 && (potential[1] - potential[2]).abs() <= 2.0);
}

#[test]
fn discriminators_of_densities_have_values() {
    let game = rows(&["gan-value", "normal(0,1)", "normal(2,1)", "--points", "1,0,-60"]);
    // 1/(1 + e^(2x−2)).
    assert_eq!((game[2]["measure"].as_str(), game[2]["value"].as_f64()), (Some("D*(1)"), Some(0.5)));
    assert_close(game[3]["value"].as_f64().unwrap(), 1.0 / (1.0 + (-2.0_f64).exp()));
    assert_close(game[4]["value"].as_f64().unwrap(), 1.0);
}

#[test]
fn columns_are_chosen_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.tsv");
    fs::write(&path, "\u{feff}x\tprobability\n0\t0.2\n1\t0.8\n").unwrap();
    let path = path.to_str().unwrap();
    assert_close(value(&["tv", path, "0.5,0.5", "--column", "probability"]), 0.3);
    fails(run(&["tv", path, "0.5,0.5"]), 2, &["2 columns"]);
    fails(run(&["tv", path, "0.5,0.5", "--column", "mass"]), 2, &["no column `mass`: it has x, probability"]);
}

#[test]
fn mistakes_are_named() {
    fails(run(&["kl", "0.25,0.5", "0.5,0.5"]), 2, &["P: the 2 entries sum to 0.75", "normalization"]);
    fails(run(&["kl", "0.2,0.8", "1.5,-0.5"]), 2, &["Q: entry 1 is -0.5"]);
    fails(run(&["kl", "0.2,0.8", "0.5,nan"]), 2, &["Q: entry 1 is NaN"]);
    fails(run(&["kl", "0.2,0.8", "0.5,half"]), 2, &["field 2", "`half`"]);
    fails(run(&["kl", "0.2,0.8", "1"]), 2, &["P has 2 entries and Q has 1"]);
    fails(run(&["kll", "0.2,0.8", "0.5,0.5"]), 2, &["`kll`", "kullback-leibler"]);
    fails(run(&["alpha(1)", "0.2,0.8", "0.5,0.5"]), 2, &["α = 1", "kullback-leibler"]);
    fails(run(&["tv", "0.2,0.8", "0.5,0.5", "--base", "2"]), 2, &["--base is for divergences that are logarithms"]);
    fails(run(&["kl", "normal(0,1", "normal(0,1)"]), 2, &["P: cannot read `normal(0,1`", "character 11"]);
    fails(run(&["kl", "normal(0,1)", "normal(0,-1)"]), 2, &["deviation = -1"]);
    fails(run(&["kl", "missing.csv", "0.5,0.5"]), 2, &["cannot read missing.csv"]);
    fails(run(&["kl", "0.2,0.8", "0.5,0.5", "--estimator", "knn"]), 2, &["--estimator is for divergences of samples"]);
    fails(
        run(&["kl", "normal(0,1)", "normal(0,2)", "--points", "1,2"]),
        2,
        &["--points is for transport of probabilities"],
    );
}

#[test]
fn pictures_show_what_was_computed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kl.svg");
    let file = path.to_str().unwrap();
    assert_close(value(&["kl", "normal(0,1)", "normal(1,2)", "--plot", file]), 2.0_f64.ln() + 2.0 / 8.0 - 0.5);
    let picture = fs::read_to_string(&path).unwrap();
    for part in ["u ln u", "exp(t", "densities", "integrand", "normal(1, 2)"] {
        assert!(picture.contains(part), "`{part}` is not in the picture");
    }
    fs::remove_file(&path).unwrap();
    fails(run(&["all", "0.2,0.8", "0.5,0.5", "--plot", file]), 2, &["--plot is not available", "name one"]);
    assert!(!path.exists());
}
