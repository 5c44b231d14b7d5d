//! The commands of one score each, made from the registry.

use clap::{Arg, ArgMatches, Args, FromArgMatches, Subcommand};

use super::score::{NamedBoundsArgs, SETS, SETS_OR_STATISTICS};
use super::{ScoringArgs, SetsArgs, finite};
use crate::metrics::{Better, Kind, Parameter, Set};
use crate::score::{Bound, Metric, Need, ScoreNumber, Side};

/// `gan-metrics NAME …` for a score NAME.
#[derive(Debug)]
pub struct SingleArgs {
    /// The score.
    pub metric: Metric,
    /// The sets.
    pub sets: SetsArgs,
    /// What is changed of its definition.
    pub parameters: Vec<(&'static str, String)>,
    /// Bounds on its numbers.
    pub bounds: Vec<Bound>,
    /// What all scores have in common.
    pub scoring: ScoringArgs,
}

/// The argument that sets a parameter.
pub(super) fn argument(parameter: &'static Parameter, name: String) -> Arg {
    let choices = match parameter.kind {
        Kind::Choice(choices) => {
            let of = |choice: &crate::metrics::Choice| format!("{} ({})", choice.name, choice.help);
            let listed: Vec<String> = choices.iter().map(of).collect();
            format!(": {}", listed.join(" or "))
        }
        _ => String::new(),
    };
    let default = match parameter.default {
        Some(default) => format!(" [default: {default}]"),
        None if parameter.help.contains("[default") => String::new(),
        None => " [default: that of the preset]".to_owned(),
    };
    let only = parameter.only_with.map_or(String::new(), |(other, value)| format!(", for {other} {value}"));
    Arg::new(name.clone())
        .long(name)
        .value_name(parameter.placeholder)
        .help(format!("{}{choices}{only}{default}", parameter.help))
}

/// The bound on a score with one number, from the side on which it gets worse.
fn bound_argument(number: ScoreNumber) -> Arg {
    let (name, worse) = match number.quantity().better {
        Better::Lower => ("fail-above", "above"),
        Better::Higher => ("fail-below", "below"),
    };
    Arg::new(name)
        .long(name)
        .value_name("SCORE")
        .value_parser(finite)
        .allow_negative_numbers(true)
        .help(format!("Exit with code 1 when the score is {worse} this value"))
}

fn bound(number: ScoreNumber, matches: &ArgMatches) -> Option<Bound> {
    let (name, side) = match number.quantity().better {
        Better::Lower => ("fail-above", Side::AtMost),
        Better::Higher => ("fail-below", Side::AtLeast),
    };
    Some(Bound { score: number, side, limit: *matches.get_one::<f64>(name)? })
}

/// What may stand for a set of a score.
fn sets_of(metric: Metric, set: Set) -> &'static str {
    if metric.about().needs(set) == [Need::Statistics] { SETS_OR_STATISTICS } else { SETS }
}

fn command_of(metric: Metric) -> clap::Command {
    let about = metric.about();
    let command = clap::Command::new(about.name);
    let real = about.compares().then(|| sets_of(metric, Set::Real));
    let mut command = SetsArgs::augment(command, real, sets_of(metric, Set::Fake));
    for parameter in about.parameters {
        command = command.arg(argument(parameter, parameter.name.to_owned()));
    }
    let mut numbers = ScoreNumber::of(metric);
    command = match (numbers.next(), numbers.next()) {
        (None, _) => command,
        (Some(number), None) => command.arg(bound_argument(number)),
        (Some(_), Some(_)) => NamedBoundsArgs::augment_args(command),
    };
    // The arguments bring the words of their type along.
    ScoringArgs::augment_args(command).about(format!("{}: {}", about.title, about.summary))
}

impl SingleArgs {
    fn of(metric: Metric, matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = metric
            .about()
            .parameters
            .iter()
            .filter_map(|parameter| Some((parameter.name, matches.get_one::<String>(parameter.name)?.clone())));
        let mut numbers = ScoreNumber::of(metric);
        let bounds = match (numbers.next(), numbers.next()) {
            (None, _) => Vec::new(),
            (Some(number), None) => bound(number, matches).into_iter().collect(),
            (Some(_), Some(_)) => NamedBoundsArgs::from_arg_matches(matches)?.bounds(),
        };
        Ok(Self {
            metric,
            sets: SetsArgs::from_arg_matches(matches)?,
            parameters: given.collect(),
            bounds,
            scoring: ScoringArgs::from_arg_matches(matches)?,
        })
    }
}

impl FromArgMatches for SingleArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let found = matches.subcommand().and_then(|(name, matches)| Some((name.parse().ok()?, matches)));
        let (metric, matches) = found.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidSubcommand))?;
        Self::of(metric, matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for SingleArgs {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands(Metric::all().map(command_of))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name.parse::<Metric>().is_ok()
    }
}
