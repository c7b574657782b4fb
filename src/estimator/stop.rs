//! scikit-learn's stopping rules, epoch by epoch, and what they leave.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::train::{EpochRecord, Stagnation, StopReason, Watch};

/// When training has gone on long enough.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rule {
    pub(super) tol: f64,
    pub(super) n_iter_no_change: usize,
    /// What the reported loss is of the trainer's.
    pub(super) loss_scale: f64,
}

/// What is known of a training when it is over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Curves {
    pub(super) losses: Vec<f64>,
    pub(super) validation_scores: Vec<f64>,
    pub(super) best_loss: Option<f64>,
    pub(super) best_validation_score: Option<f64>,
    pub(super) converged: bool,
}

/// The rule while it is applied.
#[derive(Debug)]
pub(super) struct Stop {
    curves: Curves,
    loss_scale: f64,
    early_stopping: bool,
    stagnation: Stagnation,
    /// The parameters of the best validation score.
    best: Option<Vec<f32>>,
}

impl Stop {
    pub(super) fn new(rule: Rule, early_stopping: bool) -> Self {
        Self {
            curves: Curves::default(),
            loss_scale: rule.loss_scale,
            early_stopping,
            stagnation: Stagnation::new(rule.tol, rule.n_iter_no_change),
            best: None,
        }
    }

    /// What was recorded, and the parameters to go back to.
    pub(super) fn finish(&mut self) -> (Curves, Option<Vec<f32>>) {
        (std::mem::take(&mut self.curves), self.best.take())
    }

    /// Counts an epoch, by its score if there is one; a score is a negative loss.
    fn count(&mut self, loss: f64, score: Option<f64>, parameters: &[f32]) {
        let best = self.stagnation.see(score.map_or(loss, |score| -score));
        match (best, score) {
            (true, None) => self.curves.best_loss = Some(self.stagnation.best()),
            (true, Some(score)) => {
                self.curves.best_validation_score = Some(score);
                self.best = Some(parameters.to_vec());
            }
            (false, _) => {}
        }
    }
}

impl Watch for Rc<RefCell<Stop>> {
    fn patience(&self) -> usize {
        let stop = self.borrow();
        if stop.early_stopping { 1 } else { stop.stagnation.patience() }
    }

    fn epoch(&mut self, record: &EpochRecord, parameters: &[f32]) -> ControlFlow<StopReason> {
        let stop = &mut *self.borrow_mut();
        let loss = record.train_loss * stop.loss_scale;
        let score = record.metrics.first().map(|(_, score)| *score);
        stop.curves.losses.push(loss);
        stop.curves.validation_scores.extend(score);
        stop.count(loss, score, parameters);
        if stop.stagnation.is_over() {
            stop.curves.converged = true;
            return ControlFlow::Break(StopReason::Converged);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(early_stopping: bool, values: &[f64]) -> (usize, Curves, Option<Vec<f32>>) {
        let rule = Rule { tol: 0.1, n_iter_no_change: 2, loss_scale: 0.5 };
        let mut watch = Rc::new(RefCell::new(Stop::new(rule, early_stopping)));
        for (i, &value) in values.iter().enumerate() {
            let metrics = if early_stopping { vec![("r2".to_owned(), value)] } else { Vec::new() };
            let record = EpochRecord {
                epoch: i + 1,
                train_loss: 2.0 * value,
                validation_loss: None,
                metrics,
                learning_rate: 0.1,
                seconds: 0.0,
            };
            let patience = watch.patience();
            if watch.epoch(&record, &[i as f32]).is_break() {
                assert_eq!(patience, 1, "it broke before it was said to look");
                break;
            }
        }
        let (curves, best) = watch.borrow_mut().finish();
        (curves.losses.len(), curves, best)
    }

    #[test]
    fn stops_after_more_epochs_than_n_iter_no_change_without_improvement_by_tol() {
        // 0.95 and 0.92 are better than 1, but not by tol; the third such epoch stops.
        let (epochs, curves, best) = run(false, &[1.0, 0.95, 0.92, 0.91, 0.0]);
        assert_eq!((epochs, curves.converged, best), (4, true, None));
        assert_eq!(curves.best_loss, Some(0.91));
        assert_eq!(curves.losses, [1.0, 0.95, 0.92, 0.91]);
        // The best loss moves along with every small improvement; 0.75 is less than 0.9 - tol.
        let (epochs, curves, _) = run(false, &[1.0, 0.95, 0.9, 0.75, 0.75, 0.75]);
        assert_eq!((epochs, curves.converged), (6, false));
    }

    #[test]
    fn early_stopping_goes_by_the_score_and_keeps_the_best_parameters() {
        let (epochs, curves, best) = run(true, &[0.5, 0.7, 0.75, 0.6, 0.72, 0.9]);
        assert_eq!((epochs, curves.converged), (5, true));
        assert_eq!(best, Some(vec![2.0]));
        assert_eq!(curves.best_validation_score, Some(0.75));
        assert_eq!(curves.best_loss, None);
    }
}
