//! The engine ONNX Runtime: a library found on the machine, loaded once per process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ndarray::{ArrayD, ArrayViewD};
use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;

use super::device::{Device, EngineChoice};
use super::engine::{Engine, EngineError, EngineInfo, Program, ShortBatches, one_an_image};
use super::library::{FoundLibrary, OLDEST_MINOR_VERSION, find_libraries};
use super::model::BatchAxis;
use super::weights::onnx::{BATCH, select_outputs};

/// An execution provider of ONNX Runtime that this crate can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The CPU.
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    TensorRt,
    /// Intel OpenVINO.
    OpenVino,
    /// Apple Core ML.
    CoreMl,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
            Provider::OpenVino => "openvino",
            Provider::CoreMl => "coreml",
        })
    }
}

/// The one ONNX Runtime of this process.
struct Loaded {
    environment: Environment,
    library: FoundLibrary,
}

static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

/// Loads the best library found, or returns the one in use.
fn environment(wanted: Option<&Path>) -> Result<(Environment, FoundLibrary), EngineError> {
    let mut loaded = LOADED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(Loaded { environment, library }) = loaded.as_ref() {
        // A bare search is content with what is there; a library asked for by name must be that one.
        let same = |path: &Path| {
            path.canonicalize()
                .is_ok_and(|path| path == library.path || path.is_dir() && library.path.starts_with(&path))
        };
        return match wanted {
            Some(path) if !same(path) => {
                Err(EngineError::OtherLibrary { loaded: library.path.clone(), wanted: path.into() })
            }
            _ => Ok((environment.clone(), library.clone())),
        };
    }
    let (found, searched) = find_libraries(wanted);
    let library = found
        .into_iter()
        .find(FoundLibrary::is_usable)
        .ok_or(EngineError::NoLibrary { oldest: OLDEST_MINOR_VERSION, searched })?;
    let failed = |reason: String| EngineError::Run { engine: EngineChoice::OnnxRuntime, reason };
    let environment = ort::init_from(&library.path)
        .map_err(|error| failed(error.to_string()))?
        .with_name("gan-metrics")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    *loaded = Some(Loaded { environment: environment.clone(), library: library.clone() });
    Ok((environment, library))
}

/// The CUDA provider finds its libraries by the loader's path only, but Python environments keep them in packages of
/// their own: `site-packages/nvidia/*/lib`. Loading them first, dependencies before dependents, makes them known. What
/// is missing here is reported by the provider itself. They are gigabytes: only where CUDA is to run.
fn preload_cuda(library: &Path) {
    // …/site-packages/onnxruntime/capi/libonnxruntime.so.1.31.1
    let Some(packages) = library.ancestors().nth(3).map(|packages| packages.join("nvidia")) else { return };
    let folders: Vec<PathBuf> =
        std::fs::read_dir(packages).into_iter().flatten().flatten().map(|entry| entry.path().join("lib")).collect();
    for name in ep::cuda::CUDA_DYLIBS.iter().chain(ep::cuda::CUDNN_DYLIBS) {
        if let Some(path) = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()) {
            let _ = ort::util::preload_dylib(path);
        }
    }
}

/// The execution providers that the library at `wanted` (or the best one found) was built with, and the library. That a
/// provider was built in does not mean that its hardware or drivers are there.
///
/// # Errors
/// [`EngineError`] when there is no usable library.
pub fn available_providers(wanted: Option<&Path>) -> Result<(FoundLibrary, Vec<Provider>), EngineError> {
    let (_environment, library) = environment(wanted)?;
    let built_in = [
        (Provider::Cpu, ep::CPU::is_available()),
        (Provider::Cuda, ep::CUDA::is_available()),
        (Provider::TensorRt, ep::TensorRT::is_available()),
        (Provider::OpenVino, ep::OpenVINO::is_available()),
        (Provider::CoreMl, ep::CoreML::is_available()),
    ];
    let available = built_in.into_iter().filter(|(_, available)| matches!(available, Ok(true)));
    Ok((library, available.map(|(provider, _)| provider).collect()))
}

fn dispatch(device: Device) -> Vec<ExecutionProviderDispatch> {
    match device {
        Device::Auto | Device::Cpu => vec![],
        // TF32 keeps 10 bits of the mantissa: visible in a score.
        Device::Cuda(index) => vec![ep::CUDA::default().with_device_id(i32::from(index)).with_tf32(false).build()],
        Device::TensorRt => vec![ep::TensorRT::default().build()],
        Device::OpenVino => vec![ep::OpenVINO::default().build()],
        Device::CoreMl => vec![ep::CoreML::default().build()],
    }
    .into_iter()
    .map(ExecutionProviderDispatch::error_on_failure)
    .collect()
}

fn provider_of(device: Device) -> Provider {
    match device {
        Device::Auto | Device::Cpu => Provider::Cpu,
        Device::Cuda(_) => Provider::Cuda,
        Device::TensorRt => Provider::TensorRt,
        Device::OpenVino => Provider::OpenVino,
        Device::CoreMl => Provider::CoreMl,
    }
}

/// What becomes of a batch that is not full.
///
/// It is run as it is where that was measured to change no bit, in batches of 1 to 16 images, at any place in a batch, with
/// 1 thread, with 4 and with its own choice: with the networks that this crate knows, on the CPU provider, on x86-64. There the kernels sum
/// each row of a product in the same order however many rows there are. Others are padded: kernels for Arm treat products
/// of a single row apart, cuDNN chooses its algorithm by the shape, and of a custom network nothing is known.
fn short_batches(batch_axis: BatchAxis, device: Device) -> ShortBatches {
    let measured = cfg!(target_arch = "x86_64") && matches!(device, Device::Auto | Device::Cpu);
    match batch_axis {
        BatchAxis::Invariant if measured => ShortBatches::AsTheyAre,
        _ => ShortBatches::Padded,
    }
}

/// A session of ONNX Runtime for batches of up to one size.
pub(super) struct OnnxRuntimeEngine {
    session: Session,
    short_batches: ShortBatches,
    outputs: Vec<String>,
    inputs: Vec<String>,
    info: EngineInfo,
}

impl OnnxRuntimeEngine {
    /// Opens a session on `device`; `Auto` takes CUDA where the library has it and a warm-up succeeds.
    pub(super) fn new(
        program: Program<'_>,
        outputs: &[&str],
        batch: usize,
        device: Device,
        library: Option<&Path>,
        threads: Option<usize>,
    ) -> Result<Self, EngineError> {
        let (found, providers) = available_providers(library)?;
        let open = |device| Self::open(program, outputs, batch, device, &found, threads);
        match device {
            Device::Auto if providers.contains(&Provider::Cuda) => match open(Device::Cuda(0)) {
                Ok(engine) => Ok(engine.because("auto: CUDA passed its warm-up".into())),
                Err(error) => open(Device::Cpu)
                    .map(|engine| engine.because(format!("auto: CUDA is built into the library, but {error}"))),
            },
            Device::Auto => {
                open(Device::Cpu).map(|engine| engine.because("auto: this ONNX Runtime is built without CUDA".into()))
            }
            device if !providers.contains(&provider_of(device)) => {
                let built_in = providers.iter().map(Provider::to_string).collect::<Vec<_>>().join(", ");
                let reason = format!(
                    "{} is built for {built_in} only; install a build that has the provider \
                     (for CUDA: `pip install onnxruntime-gpu`), or choose another device",
                    found.path.display()
                );
                Err(EngineError::Device { device, engine: EngineChoice::OnnxRuntime, reason })
            }
            device => open(device),
        }
    }

    fn because(mut self, reason: String) -> Self {
        self.info.reason = Some(reason);
        self
    }

    fn open(
        program: Program<'_>,
        outputs: &[&str],
        batch: usize,
        device: Device,
        library: &FoundLibrary,
        threads: Option<usize>,
    ) -> Result<Self, EngineError> {
        let (environment, _) = environment(Some(&library.path))?;
        if matches!(device, Device::Cuda(_) | Device::TensorRt) {
            preload_cuda(&library.path);
        }
        let session =
            session(&environment, program, outputs, batch, device, threads).map_err(|reason| match device {
                Device::Auto | Device::Cpu => EngineError::Model { engine: EngineChoice::OnnxRuntime, reason },
                device => EngineError::Device { device, engine: EngineChoice::OnnxRuntime, reason },
            })?;
        let info = EngineInfo {
            name: EngineChoice::OnnxRuntime.to_string(),
            version: library.version.clone().unwrap_or_default(),
            provider: if device == Device::Auto { Device::Cpu } else { device }.to_string(),
            library: Some(library.path.clone()),
            reason: None,
        };
        let outputs = outputs.iter().map(|&name| name.to_owned()).collect();
        let short_batches = short_batches(program.batch_axis, device);
        let inputs = program.inputs.iter().map(|input| input.name.to_owned()).collect();
        let mut engine = Self { session, short_batches, outputs, inputs, info };
        if !matches!(device, Device::Auto | Device::Cpu) {
            // Drivers and cuDNN are loaded on first use: only a run proves that the device is there.
            let zeros: Vec<_> = program.inputs.iter().map(|input| ArrayD::zeros(input.shape(batch))).collect();
            let zeros: Vec<_> = zeros.iter().map(|zeros| zeros.view()).collect();
            engine.run(&zeros).map_err(|error| EngineError::Device {
                device,
                engine: EngineChoice::OnnxRuntime,
                reason: format!("the warm-up failed: {error}"),
            })?;
        }
        Ok(engine)
    }
}

fn session(
    environment: &Environment,
    program: Program<'_>,
    outputs: &[&str],
    batch: usize,
    device: Device,
    threads: Option<usize>,
) -> Result<Session, String> {
    fn text(error: impl fmt::Display) -> String {
        error.to_string()
    }
    let mut builder = Session::builder(environment)
        .map_err(text)?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(text)?
        .with_execution_providers(dispatch(device))
        .map_err(text)?;
    // On the CPU the size makes no difference to the speed of the networks measured; it may to providers that compile.
    if short_batches(program.batch_axis, device) == ShortBatches::Padded {
        builder = builder.with_dimension_override(BATCH, batch as i64).map_err(text)?;
    }
    if let Some(threads) = threads {
        builder = builder.with_intra_threads(threads).map_err(text)?;
    }
    let wanted = select_outputs(program.onnx, outputs).map_err(text)?;
    builder.commit_from_memory(&wanted).map_err(text)
}

/// Why a batch failed: whatever the CPU says of it but that there is no memory is of the network, since the batch has the shape that its
/// file asks for; elsewhere drivers fail, too.
fn failure(error: &ort::Error, on_cpu: bool) -> EngineError {
    use ort::ErrorCode::{InvalidArgument, InvalidGraph, NotImplemented};
    let (engine, reason) = (EngineChoice::OnnxRuntime, error.to_string());
    let lacks_memory = ["bad_alloc", "allocate memory", "out of memory"].iter().any(|words| reason.contains(words));
    let of_graph = on_cpu || matches!(error.code(), InvalidArgument | InvalidGraph | NotImplemented);
    match of_graph && !lacks_memory {
        true => EngineError::Graph { engine, reason },
        false => EngineError::Run { engine, reason },
    }
}

impl Engine for OnnxRuntimeEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn short_batches(&self) -> ShortBatches {
        self.short_batches
    }

    fn run(&mut self, batch: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let on_cpu = self.info.provider == Device::Cpu.to_string();
        let failed = |error: ort::Error| failure(&error, on_cpu);
        let n = batch.first().map_or(0, |batch| batch.len_of(ndarray::Axis(0)));
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(batch.len());
        for (name, batch) in self.inputs.iter().zip(batch) {
            inputs.push((name, TensorRef::from_array_view(batch.view()).map_err(failed)?.into()));
        }
        let results = self.session.run(inputs).map_err(failed)?;
        self.outputs
            .iter()
            .map(|name| {
                let (shape, values) = results[name.as_str()].try_extract_tensor::<f32>().map_err(failed)?;
                let shape: Vec<usize> = shape.iter().map(|&extent| extent as usize).collect();
                one_an_image(name, &shape, values.to_vec(), n)
            })
            .collect()
    }
}
