//! What pipelines and groups of all kinds have alike: their descriptors.

use super::kernels::Constants;

/// The module of a kernel's text, without naga's checks.
pub(super) fn module(device: &wgpu::Device, label: &str, text: &str) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    };
    // SAFETY: without naga's checks a shader must neither leave its buffers nor loop for ever.
    // Every index that our kernels form is below the extent of a view, and `Op::check` has
    // found every view to lie inside its buffer, which is bound whole; threads beyond an extent
    // do nothing. Plans (`fused`) are read out of the same checked views. Row numbers, labels and
    // slots, the only indices that are data, are clamped in WGSL. Loops count up to an extent.
    // Divisors are extents, which `Op::check` keeps from zero.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

/// The layout of a group with a uniform of so many bytes, at a dynamic offset.
pub(super) fn uniform_layout(
    device: &wgpu::Device,
    label: &str,
    bytes: u64,
) -> wgpu::BindGroupLayout {
    let entry = wgpu::BindGroupLayoutEntry {
        binding: 0,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: true,
            min_binding_size: wgpu::BufferSize::new(bytes),
        },
        count: None,
    };
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &[entry] };
    device.create_bind_group_layout(&descriptor)
}

/// A group of such a layout.
pub(super) fn bind_uniform(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    buffer: &wgpu::Buffer,
    bytes: u64,
) -> wgpu::BindGroup {
    let binding = wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(bytes) };
    bind_buffers(device, label, layout, [binding])
}

/// A group of these buffers, in order.
pub(super) fn bind_buffers<'a>(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    buffers: impl IntoIterator<Item = wgpu::BufferBinding<'a>>,
) -> wgpu::BindGroup {
    let entry = |(binding, buffer)| wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(buffer),
    };
    let entries: Vec<_> = (0..).zip(buffers).map(entry).collect();
    let descriptor = wgpu::BindGroupDescriptor { label: Some(label), layout, entries: &entries };
    device.create_bind_group(&descriptor)
}

/// The layout of a group with these buffers, in order.
pub(super) fn buffers_layout(
    device: &wgpu::Device,
    label: &str,
    types: impl IntoIterator<Item = wgpu::BufferBindingType>,
) -> wgpu::BindGroupLayout {
    let entry = |(binding, ty): (u32, wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(types).map(entry).collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries };
    device.create_bind_group_layout(&descriptor)
}

/// The pipeline of a module's entry point.
pub(super) fn compute_pipeline<const N: usize>(
    device: &wgpu::Device,
    label: &str,
    (module, entry): (&wgpu::ShaderModule, &str),
    layouts: [&wgpu::BindGroupLayout; N],
    constants: &Constants,
) -> wgpu::ComputePipeline {
    let label = Some(label);
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &layouts.map(Some),
        immediate_size: 0,
    });
    let constants: Vec<(&str, f64)> =
        constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&layout),
        module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            // Every kernel writes the workgroup memory that it reads.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    })
}
