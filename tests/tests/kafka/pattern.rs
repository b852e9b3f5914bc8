//! Subscriptions by pattern.

use anyhow::{Result, bail};
use tether_kafka::{ConsumerEvent, Subscription};
use tether_tests::names;

use super::clients::{Cluster, assigned, change, records, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_come_under_a_pattern_as_they_are_made() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let prefix = names::unique("pattern");
    cluster.create(&format!("x{prefix}-a"), 1).await?;
    let pattern = Subscription::Pattern(format!(r"\Q{prefix}\E-(?!no).*"));
    let often = ("metadata.max.age.ms", "500");
    let consumer = cluster.member(&names::unique("group"), &pattern, &[often])?;
    let joining = tokio::spawn(async move {
        let partitions = assigned(&*consumer).await?;
        Ok::<_, anyhow::Error>((consumer, partitions))
    });
    cluster.create(&format!("{prefix}-no"), 1).await?;
    cluster.create(&format!("{prefix}-a"), 1).await?;
    let (consumer, partitions) = joining.await??;
    assert_eq!(partitions.len(), 1);
    assert_eq!(&*partitions[0].topic, format!("{prefix}-a"));

    cluster.create(&format!("{prefix}-b"), 2).await?;
    let ConsumerEvent::Revoked(revoked) = change(&*consumer).await? else {
        bail!("expected a revocation");
    };
    consumer.accept_revocation(&revoked)?;
    assert_eq!(assigned(&*consumer).await?.len(), 3);
    cluster.write(&format!("{prefix}-b"), &[(1, "x")]).await?;
    assert_eq!(values(&records(&*consumer, 1).await?), ["x"]);
    consumer.close().await;
    Ok(())
}
