//! `gan-metrics divergence list`: what can be computed, of what.

use serde::Serialize;

use super::{MUTUAL_INFORMATION, Test};
use crate::divergence::{Density, Divergence};

/// Everything there is.
#[derive(Debug, Serialize)]
pub(super) struct Listing {
    divergences: Vec<Entry>,
    transport: Vec<Entry>,
    /// What samples have.
    samples: Vec<Entry>,
    densities: Vec<Family>,
}

/// A divergence.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    aliases: Vec<&'static str>,
    title: &'static str,
    /// As text.
    formula: String,
    /// Smallest and largest value, as text.
    range: [String; 2],
    symmetric: bool,
}

/// A family of densities.
#[derive(Debug, Serialize)]
struct Family {
    name: &'static str,
    aliases: &'static [&'static str],
    parameters: &'static [&'static str],
}

fn end(value: f64) -> String {
    if value.is_infinite() {
        "∞".to_owned()
    } else {
        format!("{value:.6}").trim_end_matches('0').trim_end_matches('.').into()
    }
}

impl Listing {
    pub fn new() -> Self {
        let transport = |name: &str, aliases: &[&'static str]| Entry {
            name: name.to_owned(),
            aliases: aliases.to_vec(),
            title: "Wasserstein",
            formula: "(min over couplings of E‖X − Y‖^r)^(1/r)".to_owned(),
            range: ["0".to_owned(), "∞".to_owned()],
            symmetric: true,
        };
        let test = |test: Test| Entry {
            name: test.name().to_owned(),
            aliases: test.aliases().to_vec(),
            title: test.title(),
            formula: test.formula().to_owned(),
            range: match test {
                Test::KolmogorovSmirnov => ["0", "1"],
                Test::Mmd => ["−∞", "2"],
                Test::CramerVonMises | Test::AndersonDarling | Test::Energy => ["0", "∞"],
            }
            .map(str::to_owned),
            symmetric: test != Test::AndersonDarling,
        };
        let mutual_information = Entry {
            name: MUTUAL_INFORMATION.to_owned(),
            aliases: vec!["mi"],
            title: "Mutual information",
            formula: "KL(P_XY‖P_X × P_Y) of samples observed together".to_owned(),
            range: ["0".to_owned(), "∞".to_owned()],
            symmetric: true,
        };
        let family = |(name, aliases, parameters)| Family { name, aliases, parameters };
        Listing {
            divergences: Divergence::catalogue().map(divergence).collect(),
            transport: vec![
                transport("wasserstein(1)", &["w1", "emd"]),
                transport("wasserstein(2)", &["w2"]),
                transport("wasserstein(r)", &["w3", "w1.5", "…"]),
            ],
            samples: Test::ALL.into_iter().map(test).chain([mutual_information]).collect(),
            densities: Density::families().map(family).collect(),
        }
    }

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a listing has string keys and serializes");
        text.push('\n');
        text
    }

    pub fn to_text(&self) -> String {
        let entries = || self.divergences.iter().chain(&self.transport).chain(&self.samples);
        let names = |entry: &Entry| match entry.aliases[..] {
            [] => entry.name.clone(),
            _ => format!("{} ({})", entry.name, entry.aliases.join(", ")),
        };
        let range = |entry: &Entry| format!("[{}, {}]", entry.range[0], entry.range[1]);
        let width =
            |text: &dyn Fn(&Entry) -> String| entries().map(|entry| text(entry).chars().count()).max().unwrap_or(0);
        let (first, second) = (width(&names), width(&range));
        let mut text = "D(P‖Q): name (other names), range, symmetry, and f(u) of D = E_q[f(p/q)]\n".to_owned();
        for entry in entries() {
            let symmetry = if entry.symmetric { "symmetric" } else { "directed" };
            text += &format!("  {:first$}  {:second$}  {symmetry:9}  {}\n", names(entry), range(entry), entry.formula);
        }
        text += "gan-value: V(D*, G) of the GAN game; all: everything that can be had\ndensities, and sums weight*density + …\n";
        for Family { name, aliases, parameters } in &self.densities {
            let others = if aliases.is_empty() { String::new() } else { format!("  (also {})", aliases.join(", ")) };
            text += &format!("  {name}({}){others}\n", parameters.join(", "));
        }
        text
    }
}

fn divergence(divergence: Divergence) -> Entry {
    let (aliases, formula, range, symmetric) = match divergence {
        Divergence::F(generator) => (
            generator.aliases().to_vec(),
            generator.formula().to_owned(),
            [generator.minimum(), generator.maximum()],
            generator.is_symmetric(),
        ),
        Divergence::Renyi(order) => {
            (vec![], "ln(∫ p^α q^(1−α))/(α − 1)".to_owned(), [0.0, f64::INFINITY], order.get() == 0.5)
        }
        Divergence::Bhattacharyya => (vec![], "−ln ∫ √(pq)".to_owned(), [0.0, f64::INFINITY], true),
    };
    Entry {
        name: divergence.to_string(),
        aliases,
        title: divergence.title(),
        formula,
        range: range.map(end),
        symmetric,
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::Kind;
    use super::*;

    #[test]
    fn every_name_and_alias_of_the_list_is_understood() {
        let listing = Listing::new();
        for entry in &listing.divergences {
            for name in entry.aliases.iter().copied().filter(|_| !entry.name.contains('(')).chain([entry.name.as_str()])
            {
                assert_eq!(name.parse::<Divergence>().unwrap().to_string(), entry.name, "{name}");
            }
        }
        for entry in &listing.samples {
            for name in entry.aliases.iter().copied().chain([entry.name.as_str()]) {
                let measure = crate::cli::commands::divergence::Measure::parse(name).unwrap();
                assert_eq!(measure.quantities(Kind::Samples, None)[0].name(), entry.name, "{name}");
            }
        }
        assert!(listing.to_text().contains("normal(mean, deviation)  (also gaussian, n)"), "{}", listing.to_text());
        let js = listing.divergences.iter().find(|entry| entry.name == "jensen-shannon").unwrap();
        assert_eq!((js.range[1].as_str(), js.symmetric), ("0.693147", true));
    }
}
