//! Pruning the history in batches.

use reelshelf::{
    db,
    domain::{ChangeId, Time},
    service::{Owner, check, history},
};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Kind, START, Service, films},
};

/// Makes the deletion of a change fail.
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
            history::prune(&service.app, &Owner::console(), Time::from_millis(2 * START)).await
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

on_both! {
    /// PostgreSQL assigns ids before the commit: of two changes of a movie, the later one can have the lower
    /// id.
    async fn a_change_that_stays_keeps_what_an_older_one_followed(service: &Service) {
        let prune_below = async |id: i64| {
            let mut tx = service.app.db.write().await.unwrap();
            let pruned = db::changes::prune(tx.conn(), ChangeId::from_stored(id), 2000).await.unwrap();
            tx.commit().await.unwrap();
            pruned
        };
        let versions = async || service.number("SELECT count(*) FROM movie_versions").await;
        service.add("Heat", "DVD", 170, 1995, 1).await;
        for rating in [2, 3, 4] {
            service.patch("/movie/1", &json!({"rating": rating})).await;
        }
        let swap = "UPDATE movie_versions SET change_id = 3 WHERE version = 2; \
                    UPDATE movie_versions SET change_id = 2 WHERE version = 3";
        service.database.execute(swap).await.unwrap();
        let kept = async || service.get("/history/3").await.json();
        let before = kept().await;
        assert_eq!(before["effects"][0]["after"]["rating"], 2, "{before}");

        assert_eq!(prune_below(3).await, 2);
        assert_eq!((kept().await, versions().await), (before, 3));
        let report = check::run(&service.app, &Owner::console()).await.unwrap();
        assert_eq!(report.differences, 0, "{report:?}");
        assert_eq!(prune_below(4).await, 1);
        assert_eq!(versions().await, 1, "what the last change followed");
        assert_eq!(prune_below(5).await, 1);
        assert_eq!(versions().await, 0);
    }
}
