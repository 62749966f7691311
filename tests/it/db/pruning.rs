//! A history that is pruned piece by piece.

use reelshelf::{
    domain::Time,
    service::{Owner, changes},
};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Kind, START, Service, films},
};

/// Lets it fail that a change is removed.
async fn keep_change(service: &Service, id: i64) {
    let sql = match service.database.kind {
        Kind::Sqlite => format!(
            "CREATE TRIGGER keep BEFORE DELETE ON changes WHEN OLD.id = {id} \
             BEGIN SELECT RAISE(ABORT, 'it is kept'); END"
        ),
        Kind::Postgres => format!(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF OLD.id = {id} THEN RAISE EXCEPTION 'it is kept'; END IF; RETURN OLD; END $$; \
             CREATE TRIGGER keep BEFORE DELETE ON changes FOR EACH ROW EXECUTE FUNCTION keep()"
        ),
    };
    service.database.execute(&sql).await.unwrap();
}

on_both! {
    async fn what_is_pruned_before_a_failure_is_gone_and_the_rest_is_whole(service: &Service) {
        let prune = async || {
            changes::prune(&service.app, &Owner::console(), Time::from_millis(2 * START)).await
        };
        let history = async || -> Vec<Value> {
            let changes = service.get("/history").await.json();
            changes.as_array().expect("changes").iter().map(|change| change["id"].clone()).collect()
        };
        let versions = async || service.number("SELECT count(*) FROM movie_versions").await;
        films::fill(service, &films::films(1500)).await;
        for rating in [2, 3] {
            let operations: Vec<Value> =
                (1..=1500).map(|id| json!({"op": "update", "id": id, "changes": {"rating": rating}})).collect();
            let answer = service.post("/movie/batch", &json!({"operations": operations})).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let before = service.get("/history/3?limit=1000").await.json();
        let movies = service.get("/movie").await.text;
        keep_change(service, 3).await;
        assert!(prune().await.is_err());
        assert_eq!(history().await, [3], "two pieces are gone");
        assert_eq!(service.get("/history/3?limit=1000").await.json(), before, "it is as it was");
        let needed = versions().await;
        assert!((1..=1500).contains(&needed), "only what the change that stays needs: {needed}");

        let drop = if service.database.kind == Kind::Sqlite { "DROP TRIGGER keep" } else { "DROP TRIGGER keep ON changes" };
        service.database.execute(drop).await.unwrap();
        assert_eq!(prune().await.unwrap(), 1);
        assert_eq!((history().await, versions().await), (vec![], 0));
        assert_eq!(service.get("/movie").await.text, movies);
        assert_eq!(prune().await.unwrap(), 0);
    }
}
