//! Finding adapters, and opening them once a process.
//!
//! Adapters and their contexts are kept in a static and never dropped: drivers have crashed where a
//! device went with its thread, and every [`Device`](crate::Device) of an adapter shares one queue.

use std::sync::{Arc, OnceLock};

use super::super::{Backend, DeviceInfo, DeviceKind, DeviceRequest, Limits};
use super::Gpu;
use super::context::Context;
use crate::error::{Error, Result};

/// The interfaces that can run compute shaders.
const BACKENDS: wgpu::Backends = wgpu::Backends::VULKAN
    .union(wgpu::Backends::METAL)
    .union(wgpu::Backends::DX12)
    .union(wgpu::Backends::BROWSER_WEBGPU);

/// Made use of where they are there.
const OPTIONAL: wgpu::Features = wgpu::Features::SUBGROUP
    .union(wgpu::Features::SHADER_INT64)
    .union(wgpu::Features::TIMESTAMP_QUERY);

/// What kernels of cooperative matrices need.
const MATRICES: wgpu::Features = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
    .union(wgpu::Features::SHADER_F16)
    .union(wgpu::Features::SUBGROUP);

/// An adapter, and its context as soon as it is opened.
struct Found {
    adapter: wgpu::Adapter,
    info: DeviceInfo,
    opened: OnceLock<Result<Arc<Gpu>>>,
}

static FOUND: OnceLock<Vec<Found>> = OnceLock::new();

/// Every adapter: discrete, integrated, virtual, other, software.
pub(crate) async fn list() -> Vec<DeviceInfo> {
    found().await.iter().map(|found| found.info.clone()).collect()
}

/// Opens the adapter asked for by number or name.
pub(crate) async fn open(request: &DeviceRequest) -> Result<Arc<dyn Backend>> {
    let list = found().await;
    let chosen = match request {
        DeviceRequest::Gpu(_) if list.is_empty() => {
            let reason = "neither Vulkan nor Metal nor DX12 nor WebGPU has one".into();
            return Err(Error::NoAdapter { reason });
        }
        DeviceRequest::Gpu(index) => list.get(index.unwrap_or(0)),
        DeviceRequest::Named(name) => list.iter().find(|found| contains(&found.info.name, name)),
        DeviceRequest::Auto | DeviceRequest::Cpu => None,
    };
    let Some(chosen) = chosen else {
        let described = |found: &Found| format!("{} ({})", found.info.id, found.info.name);
        let available = ["cpu".to_owned()].into_iter().chain(list.iter().map(described)).collect();
        return Err(Error::UnknownDevice { name: request.to_string(), available });
    };
    let gpu = open_found(chosen).await?;
    Ok(gpu)
}

/// Opens the first adapter that is hardware, if there is one and it works.
pub(crate) async fn open_hardware() -> Option<Arc<dyn Backend>> {
    let hardware = [DeviceKind::Discrete, DeviceKind::Integrated];
    for found in found().await.iter().filter(|found| hardware.contains(&found.info.kind)) {
        if let Ok(gpu) = open_found(found).await {
            return Some(gpu);
        }
    }
    None
}

fn contains(name: &str, part: &str) -> bool {
    name.to_lowercase().contains(&part.to_lowercase())
}

/// Natively wgpu's futures are ready at once, so that blocking on them lets the first thread that
/// asks do the work and all others wait for it.
#[cfg(not(target_arch = "wasm32"))]
async fn found() -> &'static [Found] {
    FOUND.get_or_init(|| pollster::block_on(enumerate()))
}

#[cfg(target_arch = "wasm32")]
async fn found() -> &'static [Found] {
    if FOUND.get().is_none() {
        let list = enumerate().await;
        return FOUND.get_or_init(|| list);
    }
    FOUND.get_or_init(Vec::new)
}

#[cfg(not(target_arch = "wasm32"))]
async fn open_found(found: &Found) -> Result<Arc<Gpu>> {
    found.opened.get_or_init(|| Gpu::new(pollster::block_on(connect(found))?)).clone()
}

#[cfg(target_arch = "wasm32")]
async fn open_found(found: &Found) -> Result<Arc<Gpu>> {
    match found.opened.get() {
        Some(opened) => opened.clone(),
        None => {
            let opened = connect(found).await.and_then(Gpu::new);
            found.opened.get_or_init(|| opened).clone()
        }
    }
}

async fn enumerate() -> Vec<Found> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = BACKENDS;
    // Without validation layers and labels in the driver: both cost time.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let computes = wgpu::DownlevelFlags::COMPUTE_SHADERS;
    let mut adapters = instance.enumerate_adapters(BACKENDS).await;
    adapters.retain(|adapter| adapter.get_downlevel_capabilities().flags.contains(computes));
    adapters.sort_by_key(|adapter| rank(kind(adapter.get_info().device_type)));
    let found = |(index, adapter): (usize, wgpu::Adapter)| {
        let info = describe(index, &adapter.get_info(), &adapter.limits());
        Found { adapter, info, opened: OnceLock::new() }
    };
    adapters.into_iter().enumerate().map(found).collect()
}

async fn connect(found: &Found) -> Result<Context> {
    let cooperative = cooperative(&found.adapter);
    let matrices = if cooperative.is_some() { MATRICES } else { wgpu::Features::empty() };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("wgrad"),
        required_features: found.adapter.features() & OPTIONAL | matrices,
        experimental_features: experimental(cooperative.is_some()),
        required_limits: found.adapter.limits(),
        ..Default::default()
    };
    let failed = |reason: String| Error::Device {
        operation: "opening",
        device: found.info.to_string(),
        reason,
    };
    let request = found.adapter.request_device(&descriptor).await;
    let (device, queue) = request.map_err(|error| failed(error.to_string()))?;
    Ok(Context::new(device, queue, found.info.clone(), cooperative))
}

/// The rows and columns of the largest matrices of f16 that a subgroup multiplies into f32.
fn cooperative(adapter: &wgpu::Adapter) -> Option<usize> {
    use wgpu::CooperativeScalarType::{F16, F32};
    if !adapter.features().contains(MATRICES) {
        return None;
    }
    let listed = adapter.cooperative_matrix_properties();
    [16, 8]
        .into_iter()
        .find(|&size| {
            let fits = |matrices: &wgpu::CooperativeMatrixProperties| {
                let sizes = [matrices.m_size, matrices.n_size, matrices.k_size];
                sizes == [size; 3] && (matrices.ab_type, matrices.cr_type) == (F16, F32)
            };
            listed.iter().any(fits)
        })
        .map(|size| size as usize)
}

/// Leave to use what wgpu calls experimental.
fn experimental(wanted: bool) -> wgpu::ExperimentalFeatures {
    if !wanted {
        return wgpu::ExperimentalFeatures::disabled();
    }
    // SAFETY: what may go wrong is a shader that wgpu should have refused. Ours, `gemm_coop.wgsl`, asks for
    // matrices of a shape that the adapter lists, in uniform control flow and inside of its own arrays.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

fn kind(device_type: wgpu::DeviceType) -> DeviceKind {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
        wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
        wgpu::DeviceType::Cpu => DeviceKind::Software,
        wgpu::DeviceType::Other => DeviceKind::Other,
    }
}

fn rank(kind: DeviceKind) -> usize {
    match kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        DeviceKind::Virtual => 2,
        DeviceKind::Other => 3,
        DeviceKind::Software | DeviceKind::Cpu => 4,
    }
}

fn describe(index: usize, info: &wgpu::AdapterInfo, limits: &wgpu::Limits) -> DeviceInfo {
    let backend = match info.backend {
        wgpu::Backend::Vulkan => "vulkan",
        wgpu::Backend::Metal => "metal",
        wgpu::Backend::Dx12 => "dx12",
        wgpu::Backend::BrowserWebGpu => "webgpu",
        wgpu::Backend::Gl => "gl",
        wgpu::Backend::Noop => "noop",
    };
    DeviceInfo {
        id: format!("gpu:{index}"),
        name: info.name.clone(),
        backend: backend.into(),
        kind: kind(info.device_type),
        driver: [&info.driver, &info.driver_info].map(|text| text.trim()).join(" ").trim().into(),
        limits: Limits {
            max_buffer_bytes: limits.max_buffer_size,
            max_binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            max_workgroup_threads: limits.max_compute_invocations_per_workgroup,
        },
    }
}

/// A device of its own, for tests that count what it does or change how it is used.
#[cfg(test)]
pub(super) fn fresh() -> Result<super::Shared> {
    pollster::block_on(async { super::Shared::new(connect(&found().await[0]).await?) })
}
