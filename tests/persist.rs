//! Networks as safetensors: what is read is what was written, and no file, however wrong, makes a
//! reader panic.

mod common;

use std::fs;

use common::devices;
use common::folder::Folder;
use wgrad::nn::Activation;
use wgrad::persist::Checkpoint;
use wgrad::{Device, Error, Mlp};

fn network(device: &Device) -> Mlp {
    let builder = Mlp::builder(3).hidden(9, Activation::Tanh).hidden(5, Activation::Relu);
    builder.output(2).seed(3).build(device).unwrap()
}

/// The bits of every parameter.
fn bits(mlp: &Mlp) -> Vec<u32> {
    let parameters = mlp.parameters().unwrap();
    parameters.values().flatten().map(|value| value.to_bits()).collect()
}

#[test]
fn a_saved_network_is_the_network() {
    let folder = Folder::new("network");
    for device in devices() {
        for bias in [true, false] {
            let builder = Mlp::builder(3).hidden(9, Activation::Sigmoid).bias(bias);
            let mlp = builder.output(2).seed(1).build(device).unwrap();
            let path = folder.path("network.safetensors");
            mlp.save(&path).unwrap();
            let loaded = Mlp::load(&path, device).unwrap();
            assert_eq!(loaded.network(), mlp.network());
            assert_eq!(bits(&loaded), bits(&mlp));
            let bytes = mlp.to_bytes().unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes, "the same network, the same bytes");
            assert_eq!(bits(&Mlp::from_bytes(&bytes, device).unwrap()), bits(&mlp));
        }
    }
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "a temporary file was left behind");
}

#[test]
fn other_programs_can_read_the_tensors() {
    let mlp = network(&Device::cpu());
    let bytes = mlp.to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 6);
    let weight = file.tensor("layers.0.weight").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (safetensors::Dtype::F32, &[3, 9][..]));
    assert_eq!(file.tensor("layers.2.bias").unwrap().shape(), [2]);
    let values = mlp.parameter("layers.0.weight").unwrap();
    let stored = weight.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    assert!(stored.eq(values.iter().copied()));
}

/// A file with this header and these numbers as data.
fn file(header: &str, data: &[f32]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(data.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// A file of one layer, 1 input and 2 outputs, with the parts of its header.
fn layer(description: &str, tensors: &str, data: &[f32]) -> Vec<u8> {
    let text = description.replace('"', "\\\"");
    file(&format!(r#"{{"__metadata__":{{"wgrad":"{text}"}},{tensors}}}"#), data)
}

const NETWORK: &str = r#"{"format":1,"network":{"layers":[{"inputs":1,"outputs":2,"bias":false,"activation":"relu"}]}}"#;
const TENSOR: &str = r#""layers.0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}"#;

#[test]
fn a_wrong_file_is_an_error_that_says_what_is_wrong() {
    let huge = NETWORK.replace("\"inputs\":1", &format!("\"inputs\":{}", usize::MAX));
    let last = u64::MAX - 20;
    let far = format!(
        "[0,8]}},\"a\":{{\"dtype\":\"U8\",\"shape\":[{}],\"data_offsets\":[8,{last}]",
        last - 8
    );
    let cases: [(&str, Vec<u8>); 19] = [
        ("0 bytes are too few", Vec::new()),
        ("7 bytes are too few", vec![1; 7]),
        ("header of 18446744073709551615 bytes", vec![255; 40]),
        ("no JSON", file("{\"a\":", &[])),
        ("no description", file(&format!("{{{TENSOR}}}"), &[1.0, 2.0])),
        ("format 2", layer(&NETWORK.replace("\"format\":1", "\"format\":2"), TENSOR, &[1.0, 2.0])),
        ("no number of a format", layer("{}", TENSOR, &[1.0, 2.0])),
        ("no number of a format", layer("[1]", TENSOR, &[1.0, 2.0])),
        ("selu", layer(&NETWORK.replace("relu", "no_selu"), TENSOR, &[1.0, 2.0])),
        ("without layers", layer(r#"{"format":1,"network":{"layers":[]}}"#, TENSOR, &[1.0, 2.0])),
        ("more than the file holds", layer(&huge, TENSOR, &[1.0, 2.0])),
        ("layer 0 is (1, 0)", layer(&NETWORK.replace(":2", ":0"), TENSOR, &[1.0, 2.0])),
        (
            "no tensor `layers.0.weight`; there are: layers.0.other",
            layer(NETWORK, &TENSOR.replace("weight", "other"), &[1.0, 2.0]),
        ),
        ("shape [2, 1]", layer(NETWORK, &TENSOR.replace("[1,2]", "[2,1]"), &[1.0, 2.0])),
        ("type I32, not F32", layer(NETWORK, &TENSOR.replace("F32", "I32"), &[1.0, 2.0])),
        ("holds NaN at row 0, column 1", layer(NETWORK, TENSOR, &[1.0, f32::NAN])),
        ("ends at byte 8 of the data, 4 are there", layer(NETWORK, TENSOR, &[1.0])),
        ("not a safetensors file", layer(NETWORK, TENSOR, &[1.0, 2.0, 3.0])),
        (
            "ends at byte 18446744073709551595",
            layer(NETWORK, &TENSOR.replace("[0,8]", &far), &[1.0, 2.0]),
        ),
    ];
    let folder = Folder::new("wrong");
    let cpu = Device::cpu();
    for (part, bytes) in cases {
        let path = folder.path("wrong.safetensors");
        fs::write(&path, &bytes).unwrap();
        let error = Mlp::load(&path, &cpu).unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(part) && message.contains("wrong.safetensors"),
            "{part}: {message}"
        );
        assert!(Checkpoint::load(&path).is_err());
        let message = Mlp::from_bytes(&bytes, &cpu).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert!(Mlp::from_bytes(&layer(NETWORK, TENSOR, &[1.0, 2.0]), &cpu).is_ok());
    assert!(Mlp::load(folder.path("absent"), &cpu).unwrap_err().to_string().contains("absent"));
    assert!(Mlp::load(&folder.0, &cpu).unwrap_err().to_string().contains("folder"));
}
