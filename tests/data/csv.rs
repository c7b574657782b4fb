//! CSV files: columns by name, values and class names, and places in complaints.

use ndarray::array;
use wgrad::data::{CsvOptions, Dataset, read_csv};

use crate::{Folder, assert_error, example};

#[test]
fn iris_is_read() {
    let path = example("iris.csv");
    let iris = Dataset::from_csv(&path, &["sepal_length", "petal_width"], &["species"]).unwrap();
    assert_eq!((iris.len(), iris.inputs(), iris.outputs()), (150, 2, 3));
    assert_eq!(iris.class_names().unwrap(), ["setosa", "versicolor", "virginica"]);
    assert_eq!(iris.class_counts().unwrap(), [50, 50, 50]);
    assert_eq!(iris.features().row(0).to_vec(), [5.1, 0.2]);
    assert_eq!(iris.labels().unwrap()[149], 2);

    let whole = read_csv(&path, &CsvOptions::new()).unwrap();
    assert_eq!((whole.inputs(), whole.labels()), (4, iris.labels()));
    let (train, test) = whole.shuffled(0).split(0.2).unwrap();
    assert_eq!(train.class_names(), test.class_names());
    assert_eq!(train.class_names().unwrap().len(), 3);

    let options =
        CsvOptions::new().targets(["petal_width", "petal_length"]).features(["sepal_width"]);
    let values = read_csv(&path, &options).unwrap();
    assert_eq!(values.values().unwrap().row(0), array![0.2, 1.4]);
    assert!(values.class_names().is_none());
}

#[test]
fn class_names_are_sorted_and_by_number_where_they_are_numbers() {
    let folder = Folder::new("csv-names");
    let path = folder.write("names.csv", "x,y\n1,pear\n2,apple\n3,pear\n4,Quince\n");
    let data = read_csv(&path, &CsvOptions::new()).unwrap();
    assert_eq!(data.class_names().unwrap(), ["Quince", "apple", "pear"]);
    assert_eq!(data.labels().unwrap(), [2, 1, 2, 0]);
    // With other classes the names no longer say what a label is.
    assert!(data.with_classes(4).unwrap().class_names().is_none());

    let path = folder.write("numbers.csv", "x,y\n1,10\n2,9\n3,10\n4,-1\n");
    let data = read_csv(&path, &CsvOptions::new().labels()).unwrap();
    assert_eq!(data.class_names().unwrap(), ["-1", "9", "10"]);
    assert_eq!(data.labels().unwrap(), [2, 1, 2, 0]);
    let data = read_csv(&path, &CsvOptions::new()).unwrap();
    assert_eq!(data.values().unwrap(), array![[10.0], [9.0], [10.0], [-1.0]]);
}

#[test]
fn files_without_header_with_other_delimiters_and_with_spaces() {
    let folder = Folder::new("csv-forms");
    let path = folder.write("plain.csv", "1; 2;a\r\n\r\n 3;4 ;\"b\"\r\n");
    let options = CsvOptions::new().header(false).delimiter(b';');
    let data = read_csv(&path, &options).unwrap();
    assert_eq!(data.features(), array![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(data.class_names().unwrap(), ["a", "b"]);
    let data = read_csv(&path, &options.features(["1"]).targets(["0"])).unwrap();
    assert_eq!(
        (data.features(), data.values().unwrap()),
        (array![[2.0], [4.0]].view(), array![[1.0], [3.0]].view())
    );
    // A byte order mark, as spreadsheets write it, is no part of the first name.
    let path = folder.write("mark.csv", "\u{feff}x,y\n1,2\n");
    assert_eq!(Dataset::from_csv(path, &["x"], &["y"]).unwrap().len(), 1);
}

#[test]
fn faults_in_cells_are_named_with_line_column_and_text() {
    let folder = Folder::new("csv-cells");
    let read = |text: &str| {
        read_csv(folder.write("bad.csv", text), &CsvOptions::new().features(["a", "b"]))
    };
    assert_error(
        read("a,b,y\n1,2,3\n1,two,3\n"),
        &["bad.csv", "line 3, column 2 (`b`): `two` is not a number"],
    );
    assert_error(read("a,b,y\n1,2,3\n\n\n ,2,3\n"), &["line 5, column 1 (`a`): `` is empty"]);
    assert_error(read("a,b,y\n\"1\n\",2,3\n1,2,x\n"), &["line 4, column 3 (`y`): `x` is not"]);
    assert_error(read("a,b,y\n1,2,c\n1,2, \n"), &["line 3, column 3 (`y`): `` is empty"]);
    assert_error(read("a,b,y\n1,2,3\n1,nan,3\n"), &["line 3, column 2 (`b`): `nan` is not finite"]);
    assert_error(read("a,b,y\n1,2,3\n1,1e39,3\n"), &["`1e39` is not finite in f32"]);
    assert_error(read("a,b,y\n1,2,3\n1,2\n"), &["line 3: 2 fields", "have 3"]);
    assert_error(read("a,b,y\n1,2,3\n1,2,3,4\n"), &["line 3: 4 fields"]);
    let latin = folder.write("latin.csv", b"a,y\n1,2\n1,\xe9\n");
    assert_error(read_csv(latin, &CsvOptions::new()), &["latin.csv", "line 3, column 2", "UTF-8"]);

    let nan = folder.write("nan.csv", "a,b,y\n1,nan,3\n");
    let allowed = Dataset::builder().allow_non_finite().load_csv(nan, &CsvOptions::new()).unwrap();
    assert!(allowed.features()[[0, 1]].is_nan());
}

#[test]
fn faults_in_columns_are_named() {
    let folder = Folder::new("csv-columns");
    let path = folder.write("c.csv", "a,b,b,y\n1,2,3,z\n");
    let read = |options: CsvOptions| read_csv(&path, &options);
    let new = CsvOptions::new;
    assert_error(read(new().features(["c"])), &["c.csv", "no column `c`", "a, b, b, y"]);
    assert_error(read(new().targets(["c"])), &["no column `c`"]);
    assert_error(read(new().features(["b"])), &["more than one column is named `b`"]);
    assert_error(read(new().features(["a", "y"])), &["`y` is both"]);
    assert_error(read(new().features(["a"]).values()), &["`z` is not a number"]);
    let several = new().features(["a"]).targets(["y", "a"]);
    assert_error(read(several), &["`a` is both"]);
    let path = folder.write("names.csv", "a,b,c\n1,u,v\n");
    assert_error(
        Dataset::from_csv(&path, &["a"], &["b", "c"]),
        &["names.csv", "2 target columns with class names"],
    );
    let one = folder.write("one.csv", "y\n1\n");
    assert_error(read_csv(one, &new()), &["one.csv", "none left for features"]);
    assert_error(read_csv(folder.write("e.csv", ""), &new()), &["e.csv", "the file is empty"]);
    assert_error(read_csv(folder.write("h.csv", "a,y\n"), &new()), &["h.csv", "no rows"]);
    assert_error(read_csv(folder.path("none.csv"), &new()), &["none.csv"]);
    assert_error(read_csv(&folder.0, &new()), &["folder"]);
}
