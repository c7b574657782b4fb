//! The devices that can train on this machine, by the names to choose them with.
//!
//!     cargo run --example devices
//!     cargo run --example devices -- --json

mod common;

use clap::Parser;
use serde_json::{Value, json};
use wgrad::Device;
use wgrad::device::{DeviceInfo, Limits};

/// Lists the devices of this machine.
#[derive(Parser)]
struct Arguments {
    /// Print a line for programs too.
    #[arg(long)]
    json: bool,
}

fn main() -> common::Result {
    let args = Arguments::parse();
    let devices = Device::list();
    let header = ["id", "name", "backend", "type", "driver", "buffer", "binding", "workgroup"];
    let mut table = vec![header.map(String::from)];
    table.extend(devices.iter().map(row));
    println!("{}", aligned(&table));
    println!("`--device auto` chooses {}.", Device::auto()?);
    if args.json {
        let list: Vec<Value> = devices.iter().map(object).collect();
        common::output::result(json!({ "devices": list }))?;
    }
    Ok(())
}

fn row(device: &DeviceInfo) -> [String; 8] {
    let Limits { max_buffer_bytes, max_binding_bytes, max_workgroup_bytes, max_workgroup_threads } =
        device.limits;
    let workgroup = match max_workgroup_threads {
        0 => "-".to_owned(),
        threads => format!("{threads} threads, {}", bytes(max_workgroup_bytes.into())),
    };
    [
        device.id.clone(),
        device.name.clone(),
        device.backend.clone(),
        device.kind.to_string(),
        if device.driver.is_empty() { "-".to_owned() } else { device.driver.clone() },
        bytes(max_buffer_bytes),
        bytes(max_binding_bytes),
        workgroup,
    ]
}

fn object(device: &DeviceInfo) -> Value {
    json!({
        "id": device.id,
        "name": device.name,
        "backend": device.backend,
        "type": device.kind.to_string(),
        "driver": device.driver,
        "max_buffer_bytes": device.limits.max_buffer_bytes,
        "max_binding_bytes": device.limits.max_binding_bytes,
        "max_workgroup_bytes": device.limits.max_workgroup_bytes,
        "max_workgroup_threads": device.limits.max_workgroup_threads,
    })
}

/// A number of bytes for people, such as `128 MiB`; the CPU's has no end.
fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let unit = (count.max(1).ilog2() / 10).min(3);
    match count {
        _ if count >= 1 << 50 => "no limit".to_owned(),
        _ => format!("{:.4} {}", count as f64 / f64::from(1 << (10 * unit)), units[unit as usize])
            .replace(".0000", ""),
    }
}

/// Rows as lines, with every column as wide as its longest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
