//! Does some work, tells of each step, and reads on the bus what it has told.

#![no_std]

extern crate alloc;

mod bindings;
#[allow(dead_code)]
mod support;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use bindings::runner::progress::events::{
    wakeful, Filter, Overflow, Subscription, SubscriptionOptions,
};
use bindings::runner::progress::telemetry::heartbeat;
use bindings::runner::progress::types::{Error, FieldChange, Phase, Phases, Scope, Value};
use bindings::runner::progress::workbook::{
    checkpoint, get_section, rollback, update, Edit, Step,
};

struct Worker;

bindings::export!(Worker with_types_in bindings);

impl bindings::Guest for Worker {
    fn work(task: String, steps: u32) -> Result<Vec<String>, String> {
        work(task, steps).map_err(|error| error.message)
    }
}

fn work(task: String, steps: u32) -> Result<Vec<String>, Error> {
    let scope = Scope {
        user: "worker".into(),
        task,
        tenant: None,
    };
    let subscription = Subscription::open(&SubscriptionOptions {
        filter: Filter {
            user: None,
            task: Some(scope.task.clone()),
            tenant: None,
            phases: Phases::EXECUTING,
        },
        capacity: 64,
        overflow: Overflow::Refuse,
    })?;
    for number in 0..steps {
        update(&Step {
            scope: scope.clone(),
            phase: Some(Phase::Executing),
            progress: Some(f64::from(number) / f64::from(steps)),
            timestamp: u64::from(number),
            changes: vec![FieldChange {
                section: "execution".into(),
                key: "step".into(),
                value: Some(Value::Integer(i64::from(number))),
            }],
            failure: None,
        })?;
        if number == 0 {
            checkpoint(&scope, "begun")?;
        }
    }
    let edit = Edit::new(&scope);
    edit.set("execution", "done", &Value::Boolean(true))?;
    Edit::commit(edit, 100)?;
    rollback(&scope, "begun", 101)?;
    let mut seen = Vec::new();
    seen.push(format!("awake {}", wakeful(9) == [subscription.token()]));
    loop {
        let batch = subscription.recv(2);
        let Some(last) = batch.updates.last() else {
            break;
        };
        subscription.ack(last.id)?;
        seen.extend(batch.updates.iter().map(|update| {
            format!("{} {} {}", update.timestamp, update.progress, update.changes.len())
        }));
    }
    let pulse = heartbeat(1, &["runner.progress_bus".to_string()]);
    seen.push(format!("queued {}", pulse.queued));
    for entry in get_section(&scope, "execution")? {
        seen.push(format!("{} is {:?}", entry.key, entry.value));
    }
    Ok(seen)
}
