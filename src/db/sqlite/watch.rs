//! Keeps the runtime responsive while a hanging disk blocks some of its threads.
//!
//! One idle runtime thread polls the network and the timers. It also runs the tasks that these wake. If the
//! disk blocks it then, no other thread polls until one is woken: no request would be received and no
//! deadline would fire.

use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use tokio::runtime::Handle;

use super::readers::Readers;
use crate::db::DbError;

/// The interval at which an idle thread is woken.
const INTERVAL: Duration = Duration::from_secs(1);

/// Wakes an idle thread each second, as long as the pool exists.
pub(super) fn start(readers: &Arc<Readers>) -> Result<(), DbError> {
    let (alive, runtime): (Weak<Readers>, _) = (Arc::downgrade(readers), Handle::current());
    let watch = move || {
        while alive.strong_count() > 0 {
            thread::sleep(INTERVAL);
            drop(runtime.spawn(async {}));
        }
    };
    let started = thread::Builder::new().name("disk-watch".to_owned()).spawn(watch);
    started.map(drop).map_err(|error| DbError::Failed(Arc::new(error)))
}
