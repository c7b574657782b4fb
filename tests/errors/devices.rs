//! Devices that are not there. What depends on drivers or on the environment runs in a process of
//! its own: this binary again, with a single test.

use std::process::Command;

use wgrad::{Device, Error};
#[cfg(all(feature = "gpu", target_os = "linux"))]
use wgrad::{Trainer, nn::Loss, optim::Adam};

use super::refused;
#[cfg(all(feature = "gpu", target_os = "linux"))]
use super::{net, regression};

#[test]
fn devices_that_are_not_there() {
    let parse = |name: &str| name.parse::<Device>();
    let known = ["unknown device `no such chip`", "`auto`, `cpu`, `gpu`, `gpu:N`", "has cpu"];
    let error = refused(parse("no such chip"), &known);
    let Error::UnknownDevice { available, .. } = error else { panic!("{error:?}") };
    assert_eq!(available.len(), Device::list().len(), "{available:?}");
    refused(parse(""), &["name is empty", "`auto`, `cpu`"]);
    refused(parse("gpu:x"), &["device is gpu:x", "`gpu:N`"]);
    assert_eq!(parse(" CPU ").unwrap(), Device::cpu());
    if Device::list().len() == 1 {
        let help = ["no GPU adapter found", "mesa-vulkan-drivers", "--device cpu"];
        refused(parse("gpu"), &help);
        refused(parse("gpu:0"), &help);
    } else {
        refused(parse("gpu:4294967295"), &["gpu:4294967295", "gpu:0"]);
    }
}

/// Runs a test of this binary again, alone, in a process with other environment variables.
fn again(test: &str, environment: &[(&str, &str)]) {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new(exe);
    command.args(["--exact", test, "--nocapture"]).env(CHILD, "1");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|s| String::from_utf8(s).unwrap());
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

/// Set in the process that [`again`] starts.
const CHILD: &str = "WGRAD_TEST_CHILD";

#[cfg(all(feature = "gpu", target_os = "linux"))]
#[test]
fn a_missing_adapter_says_how_to_get_one() {
    if std::env::var_os(CHILD).is_none() {
        let hidden = [("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")];
        let auto = (wgrad::device::DEVICE_VARIABLE, "");
        return again(
            "devices::a_missing_adapter_says_how_to_get_one",
            &[hidden[0], hidden[1], auto],
        );
    }
    let help =
        ["no GPU adapter found", "mesa-vulkan-drivers", "NVIDIA", "`--device cpu`, which works"];
    let error = refused(Device::gpu(), &help);
    assert!(matches!(error, Error::NoAdapter { .. }));
    refused("gpu".parse::<Device>(), &help);
    refused("gpu:0".parse::<Device>(), &help);
    refused("llvmpipe".parse::<Device>(), &["unknown device `llvmpipe`", "this machine has cpu"]);
    assert_eq!(Device::list().len(), 1);
    // What it says is so.
    let mut mlp = net(2, 1, &Device::auto().unwrap());
    assert_eq!(mlp.device(), &Device::cpu());
    let mut trainer = Trainer::new(Loss::Mse, Adam::default());
    trainer.fit(&mut mlp, &regression(4, 2, 1)).unwrap();
}

#[test]
fn the_environment_names_the_automatic_device() {
    let variable = wgrad::device::DEVICE_VARIABLE;
    let test = "devices::the_environment_names_the_automatic_device";
    if std::env::var_os(CHILD).is_none() {
        again(test, &[(variable, "cpu")]);
        again(test, &[(variable, "no such chip")]);
        again(test, &[(variable, "gpu:x")]);
        return;
    }
    match std::env::var(variable).unwrap().as_str() {
        "cpu" => assert_eq!(Device::auto().unwrap(), Device::cpu()),
        name => drop(refused(Device::auto(), &[name, "`gpu:N`"])),
    }
}
