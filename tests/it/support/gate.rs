//! A gate that stops the service: imports after each batch of rows, or a new catalogue before it is swapped
//! in.

use std::{sync::Arc, time::Duration};

use reelshelf::{
    db::deadline,
    service::{Pause, YieldPolicy},
};
use tokio::sync::watch;

/// What a task does at the gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// Continues in the same transaction.
    Through,
    /// Lets others write and continues.
    Yielding,
    /// Does the same, after the deadline of its request.
    Late,
    /// Waits until the gate is opened.
    Held,
}

/// A gate of a service. Initially it has no effect.
#[derive(Clone)]
pub struct Gate {
    passage: watch::Sender<Passage>,
    /// The number of waiting tasks.
    waiting: watch::Sender<usize>,
}

impl Gate {
    pub fn new() -> Self {
        Self { passage: watch::Sender::new(Passage::Through), waiting: watch::Sender::new(0) }
    }

    /// Makes all tasks wait here: each import after its next batch.
    pub fn hold(&self) {
        self.passage.send_replace(Passage::Held);
    }

    /// Lets waiting tasks continue. From then on imports let others write after each batch.
    pub fn open(&self) {
        self.passage.send_replace(Passage::Yielding);
    }

    /// From then on imports arrive after the deadline of their requests.
    pub fn pass_deadlines(&self) {
        self.passage.send_replace(Passage::Late);
    }

    /// Waits until a task waits here.
    pub async fn reached(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.expect("a gate");
    }

    /// Returns the pause before a catalogue is swapped in.
    pub fn pause(&self) -> Pause {
        let gate = self.clone();
        Arc::new(move || {
            let gate = gate.clone();
            Box::pin(async move { gate.wait().await })
        })
    }

    /// Returns the yield policy of imports.
    pub fn policy(&self) -> YieldPolicy {
        let gate = self.clone();
        Arc::new(move |_: Duration| {
            let gate = gate.clone();
            let passage = *gate.passage.borrow();
            (passage != Passage::Through).then(|| Box::pin(async move { gate.wait().await }) as _)
        })
    }

    async fn wait(&self) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let _counted = Counted(&self.waiting);
        if *self.passage.borrow() == Passage::Late {
            deadline::restart(Duration::ZERO);
        }
        self.passage.subscribe().wait_for(|passage| *passage != Passage::Held).await.expect("a gate");
    }
}

/// A waiting task, until dropped.
struct Counted<'a>(&'a watch::Sender<usize>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}
