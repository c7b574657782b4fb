//! Shuffling, splitting and selecting.

use proptest::prelude::*;
use wgrad::Error;
use wgrad::data::Dataset;

use crate::assert_error;

/// Row i is (i, -i), so that a row shows where it came from; its label is `labels[i]`, its weight
/// i + 1, its sigma i + 2.
fn rows(labels: &[u32]) -> Dataset {
    let x: Vec<f32> = (0..labels.len()).flat_map(|i| [i as f32, -(i as f32)]).collect();
    let column =
        |first: usize| -> Vec<f32> { (0..labels.len()).map(|i| (i + first) as f32).collect() };
    let data = Dataset::classification_from_vec(x, 2, labels).unwrap();
    data.with_sample_weights(column(1)).unwrap().with_sigmas(column(2)).unwrap()
}

/// Where each row came from, with the check that its second feature, its label, its weight and its
/// sigma came along.
fn origins(part: &Dataset, labels: &[u32]) -> Vec<usize> {
    let row = |(i, &label): (usize, &u32)| {
        let origin = part.features()[[i, 0]] as usize;
        assert_eq!(part.features()[[i, 1]], -(origin as f32));
        assert_eq!(label, labels[origin], "row {origin} has another row's label");
        assert_eq!(part.sample_weights().unwrap()[i], (origin + 1) as f32);
        assert_eq!(part.sigmas().unwrap()[i], (origin + 2) as f32);
        origin
    };
    part.labels().unwrap().iter().enumerate().map(row).collect()
}

#[test]
fn shuffles_depend_on_the_seed_alone() {
    let labels: Vec<u32> = (0..100).map(|i| i % 3).collect();
    let data = rows(&labels);
    let order = origins(&data.shuffled(7), &labels);
    assert_eq!(order, origins(&data.shuffled(7), &labels));
    assert_ne!(order, origins(&data.shuffled(8), &labels));
    assert_ne!(order, (0..100).collect::<Vec<_>>());
    let mut sorted = order;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<_>>());
}

#[test]
fn shuffled_values_stay_with_their_features() {
    let x: Vec<f32> = (0..50).map(|i| i as f32).collect();
    let y: Vec<f32> = (0..50).flat_map(|i| [2.0 * i as f32, 3.0 * i as f32]).collect();
    let data = Dataset::regression_from_vec(x, 1, y, 2).unwrap().shuffled(1);
    let (x, y) = (data.features(), data.values().unwrap());
    assert!((0..50).all(|i| y[[i, 0]] == 2.0 * x[[i, 0]] && y[[i, 1]] == 3.0 * x[[i, 0]]));
    assert!((0..50).any(|i| x[[i, 0]] != i as f32));
}

#[test]
fn the_test_part_is_the_last_rows_rounded_up() {
    let labels = [0; 10];
    let data = rows(&labels);
    let (train, test) = data.split(0.25).unwrap();
    assert_eq!(origins(&train, &labels), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(origins(&test, &labels), [7, 8, 9]);
    let (first, rest) = data.split_at(1).unwrap();
    assert_eq!((first.len(), rest.len()), (1, 9));
    assert_eq!(origins(&data.take(3).unwrap(), &labels), [0, 1, 2]);
    assert_eq!(origins(&data.select(&[9, 0, 9]).unwrap(), &labels), [9, 0, 9]);
}

#[test]
fn parts_that_would_be_empty_are_refused() {
    let data = rows(&[0; 10]);
    for fraction in [0.0, 1.0, -0.5, 1.5, f64::NAN, 0.95] {
        assert_error(data.split(fraction), &[&format!("test fraction is {fraction}"), "10 rows"]);
        assert_error(data.split_stratified(fraction, 0), &["test fraction is"]);
    }
    assert_error(data.split_at(0), &["rows is 0", "10 rows"]);
    assert_error(data.split_at(10), &["rows is 10"]);
    assert_error(data.take(0), &["take is 0", "1 to 10"]);
    assert_error(data.take(11), &["take is 11"]);
    assert_error(data.select(&[]), &["at least one row"]);
    assert_error(data.select(&[0, 10]), &["10 at place 1", "rows 0 to 9"]);
}

#[test]
fn a_stratified_split_keeps_the_proportions() {
    let labels: Vec<u32> = (0..100).map(|i| [0, 0, 0, 0, 0, 1, 1, 1, 2, 2][i % 10]).collect();
    let (train, test) = rows(&labels).split_stratified(0.2, 3).unwrap();
    assert_eq!(train.class_counts().unwrap(), [40, 24, 16]);
    assert_eq!(test.class_counts().unwrap(), [10, 6, 4]);
    let mut all = origins(&train, &labels);
    assert!(!all.is_sorted(), "the training part is not shuffled");
    all.extend(origins(&test, &labels));
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());

    let again = rows(&labels).split_stratified(0.2, 3).unwrap();
    assert_eq!(again, (train, test.clone()));
    assert_ne!(rows(&labels).split_stratified(0.2, 4).unwrap().1, test);
}

#[test]
fn a_stratified_split_needs_classes_of_more_than_one_row() {
    // The class of a single row stays in the training part.
    let (train, test) = rows(&[0, 1, 0, 0]).split_stratified(0.5, 0).unwrap();
    assert_eq!(train.class_counts().unwrap(), [1, 1]);
    assert_eq!(test.class_counts().unwrap(), [2, 0]);
    assert_eq!(test.outputs(), 2);
    assert_error(rows(&[0, 1, 2]).split_stratified(0.5, 0), &["0.5", "single row"]);
    let values = Dataset::regression_from_vec([0.0, 1.0], 1, [0.0, 1.0], 1).unwrap();
    let refused = values.split_stratified(0.5, 0);
    assert!(matches!(refused, Err(Error::Targets { op: "Dataset::split_stratified", .. })));
}

proptest! {
    #[test]
    fn a_stratified_split_gives_each_class_its_share(
        labels in prop::collection::vec(0u32..5, 2..200),
        fraction in 0.01f64..0.99,
        seed: u64,
    ) {
        let data = rows(&labels);
        let Ok((train, test)) = data.split_stratified(fraction, seed) else { return Ok(()) };
        let wanted = (fraction * labels.len() as f64).ceil();
        let mut all = origins(&train, &labels);
        all.extend(origins(&test, &labels));
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        prop_assert!(test.len() as f64 <= wanted);
        let whole = data.class_counts().unwrap();
        for (class, &count) in test.class_counts().unwrap().iter().enumerate() {
            let share = whole[class] as f64 * wanted / labels.len() as f64;
            prop_assert!((count as f64 - share).abs() < 1.0 + 1e-9, "{count} of class {class}, not {share}");
            prop_assert!(count < whole[class].max(1), "class {class} has no training row");
        }
    }
}
