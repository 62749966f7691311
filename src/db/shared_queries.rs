//! Look-ups by key that share queries on PostgreSQL.
//!
//! While queries run, the keys of later requests collect; the next query looks up all of them. A request never
//! gets the result of a query that began before the request came. So each request reads what was committed
//! before, and a busy service sends few queries.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Semaphore, watch};

use super::{DbError, deadline};

/// Queries at once: while one waits for the server, another one can be answered.
const QUERIES_AT_ONCE: usize = 2;

/// The rows that a query found, by key.
type Found<T> = Result<Arc<HashMap<String, T>>, DbError>;

/// Shares the queries of concurrent look-ups.
pub(super) struct SharedQueries<T> {
    /// The next query, if requests wait for it.
    next: Mutex<Option<Next<T>>>,
    turns: Semaphore,
}

struct Next<T> {
    keys: HashSet<String>,
    found: watch::Receiver<Option<Found<T>>>,
}

impl<T> Default for SharedQueries<T> {
    fn default() -> Self {
        Self { next: Mutex::default(), turns: Semaphore::new(QUERIES_AT_ONCE) }
    }
}

impl<T: Clone + Send + Sync + 'static> SharedQueries<T> {
    /// Returns the row of a key. If no query is to come yet, `query` becomes the next one; it gets all keys
    /// that were asked for until it begins.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] after the deadline; the errors of the query.
    pub(super) async fn get<F>(
        self: &Arc<Self>,
        key: &str,
        query: impl FnOnce(Vec<String>) -> F + Send + 'static,
    ) -> Result<Option<T>, DbError>
    where
        F: Future<Output = Result<HashMap<String, T>, DbError>> + Send,
    {
        let mut found = {
            let mut next = self.next();
            let next = next.get_or_insert_with(|| Next { keys: HashSet::new(), found: self.begin(query) });
            next.keys.insert(key.to_owned());
            next.found.clone()
        };
        let found = deadline::in_time("a query", found.wait_for(Option::is_some)).await?;
        let found = found.map_err(|_| DbError::closed())?.clone();
        Ok(found.ok_or_else(DbError::closed)??.get(key).cloned())
    }

    /// Runs the query in a task of its own: a request that leaves must not take it from the others.
    fn begin<F>(
        self: &Arc<Self>,
        query: impl FnOnce(Vec<String>) -> F + Send + 'static,
    ) -> watch::Receiver<Option<Found<T>>>
    where
        F: Future<Output = Result<HashMap<String, T>, DbError>> + Send,
    {
        let (sender, receiver) = watch::channel(None);
        let shared = self.clone();
        tokio::spawn(async move {
            let Ok(_turn) = shared.turns.acquire().await else { return };
            let Some(next) = shared.next().take() else { return };
            let found = query(next.keys.into_iter().collect()).await;
            let _ = sender.send(Some(found.map(Arc::new))); // an error: nobody waits any more
        });
        receiver
    }

    fn next(&self) -> std::sync::MutexGuard<'_, Option<Next<T>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};
    use tokio::sync::mpsc;

    use super::*;

    type Answer = Result<HashMap<String, i32>, DbError>;

    /// A query that has begun: its keys, and where its answer goes.
    type Begun = (Vec<String>, tokio::sync::oneshot::Sender<Answer>);

    struct Server {
        shared: Arc<SharedQueries<i32>>,
        begun: mpsc::UnboundedReceiver<Begun>,
        begins: mpsc::UnboundedSender<Begun>,
    }

    impl Server {
        fn new() -> Self {
            let (begins, begun) = mpsc::unbounded_channel();
            Self { shared: Arc::default(), begun, begins }
        }

        /// Asks for a key. The request is made at once, not when the result is awaited.
        fn ask(&self, key: &'static str) -> impl Future<Output = Result<Option<i32>, DbError>> + use<> {
            let (shared, begins) = (self.shared.clone(), self.begins.clone());
            let mut asked = Box::pin(async move {
                let query = move |keys| async move {
                    let (answer, answered) = tokio::sync::oneshot::channel();
                    begins.send((keys, answer)).expect("the server is there");
                    answered.await.expect("an answer")
                };
                shared.get(key, query).await
            });
            assert!(asked.as_mut().now_or_never().is_none(), "nothing is answered yet");
            asked
        }

        async fn begun(&mut self) -> Begun {
            let (mut keys, answer) = self.begun.recv().await.expect("a query");
            keys.sort();
            (keys, answer)
        }

        /// Lets all tasks run: no further query may begin.
        async fn settle(&mut self) {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert!(self.begun.try_recv().is_err(), "a further query began");
        }
    }

    fn rows(keys: &[String]) -> HashMap<String, i32> {
        keys.iter().filter_map(|key| Some((key.clone(), key.parse().ok()?))).collect()
    }

    #[tokio::test]
    async fn requests_that_come_while_queries_run_share_the_next_one() {
        let mut server = Server::new();
        let mut running = Vec::new();
        let mut asked = Vec::new();
        for key in ["1", "2"] {
            asked.push(server.ask(key));
            running.push(server.begun().await);
        }
        assert_eq!([&running[0].0, &running[1].0], [&["1"], &["2"]]);
        let later: Vec<_> = ["3", "1", "3", "none"].map(|key| server.ask(key)).into();
        server.settle().await;
        for (keys, answer) in running {
            answer.send(Ok(rows(&keys))).unwrap();
        }
        assert_eq!(
            join_all(asked).await.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
            [Some(1), Some(2)]
        );
        let (keys, answer) = server.begun().await;
        assert_eq!(keys, ["1", "3", "none"], "1 is looked up anew, since it was asked for later");
        server.settle().await;
        answer.send(Ok(rows(&keys))).unwrap();
        let found: Vec<_> = join_all(later).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(found, [Some(3), Some(1), Some(3), None]);
    }

    #[tokio::test]
    async fn a_request_that_leaves_takes_no_answer_from_the_others() {
        let mut server = Server::new();
        let first = server.ask("1");
        let second = server.ask("2");
        drop(first);
        let (keys, answer) = server.begun().await;
        assert_eq!(keys, ["1", "2"]);
        answer.send(Ok(rows(&keys))).unwrap();
        assert_eq!(second.await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn an_error_is_for_all_that_wait_and_for_no_later_request() {
        let mut server = Server::new();
        let asked = [server.ask("1"), server.ask("2")];
        let (_, answer) = server.begun().await;
        answer.send(Err(DbError::Unavailable("gone".to_owned()))).unwrap();
        for asked in asked {
            assert!(matches!(asked.await, Err(DbError::Unavailable(_))));
        }
        let asked = server.ask("1");
        let (keys, answer) = server.begun().await;
        answer.send(Ok(rows(&keys))).unwrap();
        assert_eq!(asked.await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn a_query_that_dies_is_an_error() {
        let mut server = Server::new();
        let asked = server.ask("1");
        drop(server.begun().await);
        assert!(matches!(asked.await, Err(DbError::Unavailable(_))));
    }
}
