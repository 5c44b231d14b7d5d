//! One trainer for every system.

use std::time::Instant;

use super::collapse::{CollapseWarning, Monitor};
use super::config::TrainConfig;
use super::data::{Drawn, Feed, Order, TrainingSet};
use super::labelled::Labelled;
use super::observer::{Observer, StepEvent};
use super::sampling;
use super::step::{Player, Step};
use crate::error::Result;
use crate::gan::error::GanError;
use crate::gan::networks::Network;
use crate::gan::optim::Optimizer;
use crate::gan::random::Random;
use crate::gan::state::SavedState;
use crate::gan::systems::{Networks, System};
use crate::gan::tensor::Tensor;

/// Streams of random numbers, apart by what they are for.
enum Purpose {
    Weights = 0,
    Order = 1,
    Noise = 2,
    Samples = 3,
    Labelled = 4,
}

/// A training run: a system, its networks and optimizers, the data, and every random number to come.
///
/// Two runs with the same configuration, data and number of threads are equal bit by bit, and so is a run that was
/// interrupted and resumed from a checkpoint.
pub struct Trainer {
    config: TrainConfig,
    data: TrainingSet,
    order: Order,
    /// The images whose labels are seen, where those of most are not.
    labelled: Option<Labelled>,
    run: Run,
}

/// What moves, apart from the order of the data.
struct Run {
    system: Box<dyn System>,
    networks: Networks,
    players: Vec<Player>,
    averages: Vec<(&'static str, Network)>,
    /// z, dropout, and the places of penalties.
    random: Random,
    step: u64,
    monitor: Monitor,
}

impl Trainer {
    /// A run before its first step.
    ///
    /// # Errors
    /// [`GanError::Setting`] for settings out of range, [`GanError::Data`] when the images do not fit the model or are
    /// fewer than a batch.
    pub fn new(config: TrainConfig, data: TrainingSet) -> std::result::Result<Self, GanError> {
        let system = config.system()?;
        Self::with_system(config, system, data)
    }

    /// A run of a system that need not be one of the [list](crate::gan::models::ModelEntry::all): the configuration says
    /// what is drawn and how players step, and of its networks only their sizes count.
    ///
    /// # Errors
    /// As for [`Trainer::new`].
    pub fn with_system(
        config: TrainConfig,
        system: Box<dyn System>,
        data: TrainingSet,
    ) -> std::result::Result<Self, GanError> {
        config.validate_for(system.as_ref())?;
        check_data(&config, system.as_ref(), &data)?;
        let config = config.written_out(system.as_ref());
        let stream = |purpose: Purpose| Random::stream(config.seed, purpose as u64);
        let networks = Networks::new(system.networks(), &mut stream(Purpose::Weights))?;
        let mut players = Vec::new();
        for player in system.players() {
            let rule = config.rules[player.name];
            let optimizer = |name: &'static str| Ok((name, Optimizer::new(rule, networks.get(name)?.parameters())?));
            let of_networks = player.networks.iter().map(|&name| optimizer(name));
            players.push(Player {
                name: player.name,
                networks: of_networks.collect::<std::result::Result<_, GanError>>()?,
            });
        }
        let averaged = if config.average_decay.is_some() { system.averaged() } else { Vec::new() };
        let average = |name: &'static str| Ok((name, networks.get(name)?.clone()));
        let averages = averaged.into_iter().map(average).collect::<std::result::Result<_, GanError>>()?;
        let order = Order::new(data.len(), stream(Purpose::Order), 0);
        let labelled = match system.labels() {
            0 => None,
            count => Some(Labelled::choose(&data, count, stream(Purpose::Labelled))?),
        };
        let random = stream(Purpose::Noise);
        let monitor = Monitor::default();
        let run = Run { system, networks, players, averages, random, step: 0, monitor };
        Ok(Trainer { config, data, order, labelled, run })
    }

    /// The settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The images.
    pub fn data(&self) -> &TrainingSet {
        &self.data
    }

    /// What is trained.
    pub fn system(&self) -> &dyn System {
        self.run.system.as_ref()
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.run.step
    }

    /// The networks as they are trained.
    pub fn networks(&self) -> &Networks {
        &self.run.networks
    }

    /// The networks as they are trained, to begin with other weights.
    pub fn networks_mut(&mut self) -> &mut Networks {
        &mut self.run.networks
    }

    /// The networks that samples are drawn from: moving averages where there are any.
    pub fn averaged(&self) -> Networks {
        let mut networks = self.run.networks.clone();
        for (name, average) in &self.run.averages {
            networks.get_mut(name).expect("an average is that of a network").clone_from(average);
        }
        networks
    }

    /// The system as it is now, to draw images from.
    ///
    /// # Errors
    /// As for [`TrainConfig::system`]: where the system is none of the list.
    pub fn trained(&self) -> std::result::Result<sampling::Trained, GanError> {
        let system = self.config.system()?;
        let class_names = self.data.class_names().unwrap_or_default().to_vec();
        let (config, step) = (self.config.clone(), self.run.step);
        Ok(sampling::Trained { config, step, class_names, system, networks: self.averaged() })
    }

    /// Images of z that stay the same for the whole run, as bytes: count×channels×size×size.
    ///
    /// # Errors
    /// [`GanError::Unable`] when the system makes none.
    pub fn samples(&self, count: usize) -> std::result::Result<Vec<u8>, GanError> {
        Ok(sampling::bytes(&self.sample_values(count)?, self.system().pixel_range()))
    }

    /// The same as the networks give them: points, or images in the range of the system.
    ///
    /// # Errors
    /// As for [`Self::samples`].
    pub fn sample_values(&self, count: usize) -> std::result::Result<Tensor, GanError> {
        let random = Random::stream(self.config.seed, Purpose::Samples as u64);
        sampling::fixed(self.system(), &self.averaged(), self.config.latent, count, random)
    }

    /// Trains until `steps` steps are done in all, or the observer has seen enough.
    ///
    /// # Errors
    /// [`GanError::NotFinite`] when a loss or a gradient is not a finite number, and what the observer returns.
    pub fn run(&mut self, steps: u64, observer: &mut dyn Observer) -> Result<()> {
        while self.run.step < steps {
            let (event, warnings) = self.step()?;
            for warning in &warnings {
                observer.warning(warning);
            }
            if observer.step(&event, self)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One step of the system.
    ///
    /// # Errors
    /// [`GanError::NotFinite`] when a loss or a gradient is not a finite number; the weights of that player are unchanged.
    pub fn step(&mut self) -> std::result::Result<(StepEvent, Vec<CollapseWarning>), GanError> {
        let Trainer { config, data, order, labelled, run } = self;
        run.step(config, &mut Drawn { data, order, labelled: labelled.as_mut() })
    }

    /// [`Trainer::step`] with given batches and noise.
    ///
    /// # Errors
    /// As for [`Trainer::step`], and [`GanError::Shape`] when the tensors do not fit the networks or are too few.
    pub fn step_with(
        &mut self,
        feed: &mut dyn Feed,
    ) -> std::result::Result<(StepEvent, Vec<CollapseWarning>), GanError> {
        self.run.step(&self.config, feed)
    }

    /// Everything that the run is besides its configuration and its data.
    pub fn state(&self) -> SavedState {
        let mut state = SavedState::default();
        for (name, network) in self.run.networks.iter() {
            state.insert_all(name, network.state());
        }
        for (name, network) in &self.run.averages {
            state.insert_all(&format!("average.{name}"), network.state());
        }
        for (name, optimizer) in self.run.players.iter().flat_map(|player| &player.networks) {
            state.insert_all(&format!("optimizer.{name}"), optimizer.state());
            state.insert_value(format!("optimizer.{name}.steps"), &optimizer.steps());
        }
        let (epoch, position) = self.order.state();
        state.insert_value("step", &self.run.step);
        state.insert_value("order.epoch", &epoch);
        state.insert_value("order.position", &position);
        state.insert_value("random", &self.run.random.state());
        if let Some(labelled) = &self.labelled {
            state.insert_value("labelled", &labelled.state());
        }
        state.insert_value("monitor", &self.run.monitor);
        self.run.system.save(&mut state);
        state
    }

    /// Goes on where another run of this configuration on these data was.
    ///
    /// # Errors
    /// [`GanError::State`] with what is missing or does not fit; the run is then in no usable state.
    pub fn restore(&mut self, state: &SavedState) -> std::result::Result<(), GanError> {
        for (name, network) in self.run.networks.iter_mut() {
            state.fill(name, network.state_mut())?;
        }
        for (name, network) in &mut self.run.averages {
            state.fill(&format!("average.{name}"), network.state_mut())?;
        }
        for (name, optimizer) in self.run.players.iter_mut().flat_map(|player| &mut player.networks) {
            state.fill(&format!("optimizer.{name}"), optimizer.state_mut())?;
            optimizer.set_steps(state.value(&format!("optimizer.{name}.steps"))?);
        }
        let epoch = Random::from_state(state.value("order.epoch")?);
        let position: usize = state.value("order.position")?;
        if position > self.data.len() {
            let problem = format!("`order.position` is {position}, and there are {} images", self.data.len());
            return Err(GanError::State(problem));
        }
        self.order = Order::new(self.data.len(), epoch, position);
        self.run.random = Random::from_state(state.value("random")?);
        if let Some(labelled) = &mut self.labelled {
            labelled.set_state(state.value("labelled")?);
        }
        self.run.step = state.value("step")?;
        self.run.monitor = state.value("monitor")?;
        self.run.system.restore(state)
    }
}

impl Run {
    /// One step.
    fn step(
        &mut self,
        config: &TrainConfig,
        feed: &mut dyn Feed,
    ) -> std::result::Result<(StepEvent, Vec<CollapseWarning>), GanError> {
        let started = Instant::now();
        let number = self.step + 1;
        let mut step = Step {
            number,
            batch_size: config.batch_size,
            latent: config.latent,
            range: self.system.pixel_range(),
            clip_norm: config.clip_norm,
            networks: &mut self.networks,
            players: &mut self.players,
            feed,
            random: &mut self.random,
            values: Vec::new(),
            images_seen: 0,
            shown: None,
        };
        self.system.step(&mut step)?;
        let Step { values, images_seen, shown, .. } = step;
        if let Some(decay) = config.average_decay {
            for (name, average) in &mut self.averages {
                average.average_towards(self.networks.get(name)?, decay)?;
            }
        }
        self.step = number;
        let seconds = started.elapsed().as_secs_f64();
        let measures = self.system.measures();
        let value = |name: &str| values.iter().find(|(known, _)| known == name).map_or(f64::NAN, |(_, value)| *value);
        let values = measures.iter().map(|measure| (measure.name, value(measure.name))).collect();
        let event = StepEvent { step: number, values, seconds, images_per_second: images_seen as f64 / seconds };
        let mut warnings = self.monitor.observe(&event, self.system.won_below());
        if let Some([real, fake]) = shown.filter(|_| self.monitor.wants_images(number)) {
            warnings.extend(self.monitor.observe_images(number, &real, &fake));
        }
        Ok((event, warnings))
    }
}

/// A shape of samples, for people.
fn described(shape: &[usize]) -> String {
    match shape {
        [dimensions] => format!("points of {dimensions} numbers"),
        _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}

fn check_data(config: &TrainConfig, system: &dyn System, data: &TrainingSet) -> std::result::Result<(), GanError> {
    let (wanted, found) = (config.networks.sample(), data.shape());
    if found != wanted {
        return Err(GanError::Data(format!("they are {}, the model makes {}", described(found), described(&wanted))));
    }
    if data.len() < config.batch_size {
        let problem = format!("there are {} of them, fewer than a batch of {}", data.len(), config.batch_size);
        return Err(GanError::Data(problem));
    }
    match (system.classes(), data.class_names()) {
        (Some(_), None) => {
            Err(GanError::Data(format!("{} learns from classes, and theirs are not known", system.title())))
        }
        (Some(wanted), Some(names)) if names.len() != wanted => {
            Err(GanError::Data(format!("they have {} classes, the model has {wanted}", names.len())))
        }
        _ => Ok(()),
    }
}
