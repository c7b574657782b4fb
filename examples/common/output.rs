//! How an example ends: with a line for programs to read, or with an error for people to read.

use std::error::Error;
use std::fmt;

use serde_json::Value;

/// The result of an example's `main`, and of what it calls.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// Any error. A `main` that returns it prints `Error: ` and the message, and exits with code 1.
pub struct Failure(Box<dyn Error>);

impl Failure {
    /// A failure of the example itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// The message, because `main` prints errors with `{:?}`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Prints the last line of an example: `result: ` and a JSON object that begins with its name.
pub fn result(values: Value) -> Result {
    #[derive(serde::Serialize)]
    struct Line {
        example: &'static str,
        #[serde(flatten)]
        values: Value,
    }
    let line = Line { example: env!("CARGO_CRATE_NAME"), values };
    println!("result: {}", serde_json::to_string(&line)?);
    Ok(())
}
