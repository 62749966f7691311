//! Commands beside a running service: it sees their changes at once.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cli::backup::back_up,
    db::postgres_faults::idle_transaction,
    on_both,
    support::{
        Answer, Kind, Service,
        films::csv,
        movie,
        program::{Program, run},
    },
};

/// More movies than are applied while reads wait.
const MANY: usize = 1_500;

/// A running service with its owner's token.
struct Owner<'a> {
    server: &'a Program,
    token: &'a str,
}

impl Owner<'_> {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.server.request(method, path).bearer_auth(self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    async fn add(&self, title: &str) -> Value {
        let answer = self.send(Method::POST, "/movie", Some(movie(title, "DVD", 90, 2000, 3))).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    async fn import(&self, file: String) -> Value {
        let request = self.server.request(Method::POST, "/movie").bearer_auth(self.token);
        let answer = Answer::of(request.header("content-type", "text/csv").body(file)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Returns the whole list, the statistics and the results of a search.
    async fn view(&self) -> [String; 3] {
        let mut view = Vec::new();
        for path in ["/movie?sort=id", "/stats", "/movie?q=film&sort=-id&limit=5&total=true"] {
            let answer = self.get(path).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            view.push(answer.header("x-total-count").to_owned() + &answer.text);
        }
        view.try_into().expect("three answers")
    }
}

fn replace(service: &Service, file: &Path) {
    run(&service.database, &["restore", "--replace", file.to_str().expect("text")], "").expect(0);
}

on_both! {
    async fn a_restore_of_few_or_of_many_movies_is_read_at_once(service: &Service) {
        let server = Program::start(&service.database);
        let owner = Owner { server: &server, token: &service.owner };
        let folder = tempfile::tempdir().unwrap();
        let [empty, few, many] = ["empty", "few", "many"].map(|name| folder.path().join(name));
        let nothing = owner.view().await;
        back_up(&service.database, &empty).expect(0);
        owner.add("Heat").await;
        owner.send(Method::PATCH, "/movie/1", Some(json!({"rating": 5}))).await;
        let with_few = owner.view().await;
        back_up(&service.database, &few).expect(0);
        owner.import(csv(MANY)).await;
        owner.send(Method::DELETE, "/movie/2", None).await;
        let with_many = owner.view().await;
        back_up(&service.database, &many).expect(0);

        let steps = [(&empty, &nothing), (&many, &with_many), (&few, &with_few), (&few, &with_few), (&many, &with_many), (&empty, &nothing)];
        for (file, expected) in steps {
            replace(service, file);
            assert_eq!(&owner.view().await, expected, "{}", file.display());
            let added = owner.add("Film after it").await;
            assert_eq!(owner.get(&format!("/movie/{}", added["id"])).await.json(), added);
            assert_ne!(&owner.view().await, expected);
        }
    }
}

on_both! {
    async fn a_restore_takes_back_what_was_read_before_its_place_in_the_log_was_final(service: &Service) {
        let server = Program::start(&service.database);
        let owner = Owner { server: &server, token: &service.owner };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one");
        owner.add("Heat").await;
        back_up(&service.database, &file).expect(0);
        replace(service, &file);
        let restored = owner.view().await;
        // On PostgreSQL, no later change is settled while an earlier transaction is open.
        let _open = match service.database.kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(idle_transaction(&service.database, "SELECT pg_current_xact_id()").await),
        };
        owner.add("Film after it").await;
        assert_ne!(owner.view().await, restored);
        replace(service, &file);
        assert_eq!(owner.view().await, restored);
        let added = owner.add("Film after that").await;
        assert_eq!(owner.get("/movie?q=film").await.json(), json!([added]));
    }
}

on_both! {
    async fn a_history_that_is_shortened_changes_nothing_that_is_read(service: &Service) {
        let server = Program::start(&service.database);
        let owner = Owner { server: &server, token: &service.owner };
        owner.import(csv(MANY)).await;
        for title in ["Heat", "Ran"] {
            owner.add(title).await;
        }
        let before = owner.view().await;
        run(&service.database, &["history", "prune", "--before", "2999-01-01"], "").expect(0);
        assert_eq!(owner.get("/history").await.json(), json!([]));
        assert_eq!(owner.view().await, before);
        let added = owner.add("Ikiru").await;
        assert_eq!(owner.get("/movie?q=ikiru").await.json(), json!([added]));
    }
}

on_both! {
    async fn what_was_revoked_or_removed_reads_nothing_any_more(service: &Service) {
        let server = Program::start(&service.database);
        let viewer = Owner { server: &server, token: &service.viewer };
        let owner = Owner { server: &server, token: &service.owner };
        owner.add("Heat").await;
        assert_eq!(viewer.get("/movie/1").await.status, 200);
        run(&service.database, &["user", "remove", "viewer"], "").expect(0);
        assert_eq!(viewer.get("/movie/1").await.status, 401);
        assert_eq!(owner.get("/movie/1").await.status, 200);
    }
}
