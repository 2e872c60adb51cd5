//! Asking a running system over HTTP: the same answers as from a folder.

use crate::asked::{Said, command, fait};
use crate::bakery::{OrderBread, open};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

async fn ask(place: &str, words: &str) -> Said {
    let (place, words) = (place.to_string(), words.to_string());
    let asked = tokio::task::spawn_blocking(move || fait(&place, &words));
    asked.await.unwrap()
}

/// The same, as JSON.
async fn json(place: &str, words: &str) -> Value {
    let said = ask(place, &format!("{words} --json")).await;
    assert_eq!(said.code, 0, "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_their_flows_are_shown() {
    let (_app, place) = open().await;
    let all = json(&place, "events list").await;
    assert_eq!(all["head"], 4);
    let newest = json(&place, "events list --newest --limit 1 --type BreadOrdered").await;
    assert_eq!(newest["events"][0]["data"]["bread"], "stone");
    assert_eq!(newest["next"], 3);
    let tagged = json(&place, "events list --tag bread:rye --before 2").await;
    assert_eq!(tagged["events"].as_array().unwrap().len(), 1);
    assert_eq!(json(&place, "events show 1").await, all["events"][0]);
    let tree = ask(&place, "trace 1").await.out;
    assert!(
        tree.contains("└─ baking asked Baker to BakeBread, due "),
        "{tree}"
    );
    let missing = ask(&place, "events show 99").await;
    assert_eq!(
        (missing.code, missing.err),
        (1, "fait: there is no event `99`\n".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn new_events_are_followed_as_they_happen() {
    let (app, place) = open().await;
    let mut follow = command();
    follow.args(["events", "follow", "--json", "--at", &place]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let mut next = move || {
        let line = lines.next().unwrap().unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["position"].as_u64()
    };
    for position in 1..=4 {
        assert_eq!(next(), Some(position));
    }
    app.send(OrderBread {
        bread: "oat".into(),
    })
    .await
    .unwrap();
    let new = tokio::task::spawn_blocking(next).await.unwrap();
    assert_eq!(new, Some(5));
    follow.kill().unwrap();
    follow.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_rebuilt_and_waited_for() {
    let (_app, place) = open().await;
    let views = json(&place, "view list").await;
    assert_eq!(
        (&views[0]["name"], &views[0]["rows"]),
        (&Value::from("to-bake"), &Value::from(2))
    );
    let said = ask(&place, "view rebuild to-bake").await;
    assert_eq!(
        (said.code, said.out),
        (0, "to-bake is rebuilt: 2 rows at position 4\n".into())
    );
    assert_eq!(
        json(&place, "view rebuild to-bake").await["rebuilds_finished"],
        2
    );
    let unknown = ask(&place, "view rebuild to-bale").await;
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.contains("did you mean `to-bake`?"),
        "{unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_instance_goes_on() {
    let (app, place) = open().await;
    let processes = json(&place, "process list").await;
    assert_eq!(processes[0]["instances"]["parked"], 1);
    let parked = json(&place, "process show baking --status parked").await;
    assert_eq!(parked[0]["key"], "stone");
    let shown = ask(&place, "process show baking stone").await.out;
    assert!(shown.contains("nobody bakes a stone"), "{shown}");
    let resume = "process resume baking stone --skip --by operator:max --reason hard";
    let said = ask(&place, resume).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    app.settle().await;
    assert!(app.parked().unwrap().is_empty());
    let resumed = json(&place, "events list --type $ProcessResumed").await;
    assert_eq!(resumed["events"][0]["actor"], "operator:max");
    assert_eq!(resumed["events"][0]["data"]["reason"], "hard");
    let again = ask(&place, resume).await;
    assert_eq!(again.code, 4, "{again:?}");
    assert!(again.err.contains("is not parked"), "{again:?}");
    assert_eq!(ask(&place, "process show bakin").await.code, 1);
    assert_eq!(ask(&place, "process show baking oat").await.code, 1);
}
