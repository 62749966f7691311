//! A gate at which a service is held: imports after each batch of rows, or a catalogue before it is swapped in.

use std::{sync::Arc, time::Duration};

use reelshelf::{
    db::deadline,
    service::{Pause, YieldPolicy},
};
use tokio::sync::watch;

/// What those do who come to a gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// They go on in the same transaction.
    Through,
    /// They let others write, and go on.
    Yielding,
    /// The same, and the deadlines of their requests have passed.
    Late,
    /// They wait until the gate is opened.
    Held,
}

/// A gate of a service. At first all pass it as though it were not there.
#[derive(Clone)]
pub struct Gate {
    passage: watch::Sender<Passage>,
    /// How many wait.
    waiting: watch::Sender<usize>,
}

impl Gate {
    pub fn new() -> Self {
        Self { passage: watch::Sender::new(Passage::Through), waiting: watch::Sender::new(0) }
    }

    /// From now on all wait who come here: each import after its next batch.
    pub fn hold(&self) {
        self.passage.send_replace(Passage::Held);
    }

    /// Lets those who wait go on. From now on each import lets others write after each batch.
    pub fn open(&self) {
        self.passage.send_replace(Passage::Yielding);
    }

    /// From now on each import comes here late: it has taken longer than a request may.
    pub fn pass_deadlines(&self) {
        self.passage.send_replace(Passage::Late);
    }

    /// Comes back when somebody waits.
    pub async fn reached(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.expect("a gate");
    }

    /// A gate before a catalogue is swapped in.
    pub fn pause(&self) -> Pause {
        let gate = self.clone();
        Arc::new(move || {
            let gate = gate.clone();
            Box::pin(async move { gate.wait().await })
        })
    }

    /// A gate for imports.
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

/// One who waits, until it is dropped.
struct Counted<'a>(&'a watch::Sender<usize>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}
