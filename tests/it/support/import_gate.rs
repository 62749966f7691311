//! A gate to which imports come after each batch of rows, while others can write.

use std::{sync::Arc, time::Duration};

use reelshelf::service::YieldPolicy;
use tokio::sync::watch;

/// What imports do after a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// They go on in the same transaction.
    Through,
    /// They let others write, and go on.
    Yielding,
    /// They let others write until the gate is opened.
    Held,
}

/// A gate for all imports of a service. At first they pass it as though it were not there.
#[derive(Clone)]
pub struct ImportGate {
    passage: watch::Sender<Passage>,
    /// How many wait.
    waiting: watch::Sender<usize>,
}

impl ImportGate {
    pub fn new() -> Self {
        Self { passage: watch::Sender::new(Passage::Through), waiting: watch::Sender::new(0) }
    }

    /// From now on each import waits after its next batch.
    pub fn hold(&self) {
        self.passage.send_replace(Passage::Held);
    }

    /// Lets those who wait go on. From now on each import lets others write after each batch.
    pub fn open(&self) {
        self.passage.send_replace(Passage::Yielding);
    }

    /// Comes back when an import waits.
    pub async fn reached(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.expect("a gate");
    }

    /// What a service is to be told.
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
