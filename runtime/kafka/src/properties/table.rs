//! Every property of Java's producer, consumer and admin client, and what
//! becomes of it.
//!
//! Names, types, defaults and rules are those of Kafka 4.3 (`ProducerConfig`,
//! `ConsumerConfig`, `AdminClientConfig`, `SslConfigs`, `SaslConfigs`).

use tether_api::config::{ConfigType, Importance};

use super::ClientKind;
use ConfigType::{Boolean, Class, Double, Int, List, Long, Password, Short, String};
use Importance::{High, Low, Medium};

/// What becomes of a property.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Goes to librdkafka under this name.
    Pass(&'static str),
    /// Goes to librdkafka under this name, limited to this range.
    Number(&'static str, i64, i64),
    /// Is dealt with by code of its own.
    Own,
    /// Has no meaning here: what it configures is done by the worker itself,
    /// or differs without anyone noticing.
    Meaningless,
    /// Has no counterpart; a value other than the default gives a warning.
    Missing,
}

/// One property as one or more of Java's clients define it.
pub(super) struct Property {
    pub(super) name: &'static str,
    clients: &'static [ClientKind],
    pub(super) kind: ConfigType,
    pub(super) default: JavaDefault,
    pub(super) check: Check,
    pub(super) importance: Importance,
    pub(super) rule: Rule,
    /// Whether Java's default is passed on too.
    pub(super) with_default: bool,
}

/// A property that has no rule for its values and whose default is passed on.
const fn row(
    clients: &'static [ClientKind],
    name: &'static str,
    kind: ConfigType,
    default: JavaDefault,
    importance: Importance,
    rule: Rule,
) -> Property {
    Property {
        name,
        clients,
        kind,
        default,
        check: Check::None,
        importance,
        rule,
        with_default: true,
    }
}

/// A rule for values; each is one of [`tether_api::config::Validator`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    None,
    AtLeast(i64),
    Between(i64, i64),
    OneOf(&'static [&'static str]),
    OneOfIgnoreCase(&'static [&'static str]),
    NonEmpty,
}

/// A default as Java has it.
#[derive(Debug, Clone, Copy)]
pub(super) enum JavaDefault {
    Required,
    Null,
    Value(&'static str),
}

impl Property {
    const fn valid(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    /// Leaves librdkafka's default in force.
    const fn if_set(mut self) -> Self {
        self.with_default = false;
        self
    }

    pub(super) fn is_of(&self, kind: ClientKind) -> bool {
        self.clients.contains(&kind)
    }
}

const ALL: &[ClientKind] = &[
    ClientKind::Producer,
    ClientKind::Consumer,
    ClientKind::Admin,
];
const P: &[ClientKind] = &[ClientKind::Producer];
const C: &[ClientKind] = &[ClientKind::Consumer];
const A: &[ClientKind] = &[ClientKind::Admin];
const PC: &[ClientKind] = &[ClientKind::Producer, ClientKind::Consumer];
const PA: &[ClientKind] = &[ClientKind::Producer, ClientKind::Admin];
const CA: &[ClientKind] = &[ClientKind::Consumer, ClientKind::Admin];

const INT_MAX: i64 = i32::MAX as i64;
const HOUR: i64 = 3_600_000;

const fn value(text: &'static str) -> JavaDefault {
    JavaDefault::Value(text)
}

use Check::{AtLeast, Between, NonEmpty, OneOf, OneOfIgnoreCase};
use JavaDefault::{Null, Required};
use Rule::{Meaningless, Missing, Number, Own, Pass};

/// All properties, grouped by what they concern.
#[rustfmt::skip]
pub(super) static PROPERTIES: &[Property] = &[
    // The connection.
    row(PC, "bootstrap.servers", List, Required, High, Own),
    row(A, "bootstrap.servers", List, value(""), High, Own),
    row(A, "bootstrap.controllers", List, value(""), High, Missing),
    row(ALL, "client.id", String, value(""), Medium, Own),
    row(C, "client.rack", String, value(""), Low, Pass("client.rack")),
    row(P, "client.dns.lookup", String, value("use_all_dns_ips"), Medium, Missing)
        .valid(OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    row(CA, "client.dns.lookup", String, value("use_all_dns_ips"), Medium, Pass("client.dns.lookup"))
        .valid(OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    row(PC, "connections.max.idle.ms", Long, value("540000"), Medium, Number("connections.max.idle.ms", 0, INT_MAX)),
    row(A, "connections.max.idle.ms", Long, value("300000"), Medium, Number("connections.max.idle.ms", 0, INT_MAX)),
    row(PA, "receive.buffer.bytes", Int, value("32768"), Medium, Number("socket.receive.buffer.bytes", 0, 100_000_000))
        .valid(AtLeast(-1)).if_set(),
    row(C, "receive.buffer.bytes", Int, value("65536"), Medium, Number("socket.receive.buffer.bytes", 0, 100_000_000))
        .valid(AtLeast(-1)).if_set(),
    row(ALL, "send.buffer.bytes", Int, value("131072"), Medium, Number("socket.send.buffer.bytes", 0, 100_000_000))
        .valid(AtLeast(-1)).if_set(),
    row(ALL, "reconnect.backoff.ms", Long, value("50"), Low, Number("reconnect.backoff.ms", 0, HOUR)).valid(AtLeast(0)),
    row(ALL, "reconnect.backoff.max.ms", Long, value("1000"), Low, Number("reconnect.backoff.max.ms", 0, HOUR)).valid(AtLeast(0)),
    row(ALL, "retry.backoff.ms", Long, value("100"), Low, Number("retry.backoff.ms", 1, 300_000)).valid(AtLeast(0)),
    row(ALL, "retry.backoff.max.ms", Long, value("1000"), Low, Number("retry.backoff.max.ms", 1, 300_000)).valid(AtLeast(0)),
    row(ALL, "request.timeout.ms", Int, value("30000"), Medium, Own).valid(AtLeast(0)),
    row(CA, "default.api.timeout.ms", Int, value("60000"), Medium, Meaningless).valid(AtLeast(0)),
    row(ALL, "socket.connection.setup.timeout.ms", Long, value("10000"), Medium, Number("socket.connection.setup.timeout.ms", 1000, INT_MAX)).if_set(),
    row(ALL, "socket.connection.setup.timeout.max.ms", Long, value("30000"), Medium, Meaningless),
    // Metadata.
    row(ALL, "metadata.max.age.ms", Long, value("300000"), Low, Own).valid(AtLeast(0)),
    row(P, "metadata.max.idle.ms", Long, value("300000"), Low, Meaningless).valid(AtLeast(5000)),
    row(ALL, "metadata.recovery.strategy", String, value("rebootstrap"), Low, Own)
        .valid(OneOfIgnoreCase(&["REBOOTSTRAP", "NONE"])),
    row(ALL, "metadata.recovery.rebootstrap.trigger.ms", Long, value("300000"), Low, Number("metadata.recovery.rebootstrap.trigger.ms", 0, INT_MAX))
        .valid(AtLeast(0)),
    // The producer.
    row(P, "key.serializer", Class, Null, High, Meaningless),
    row(P, "value.serializer", Class, Null, High, Meaningless),
    row(P, "acks", String, value("all"), Low, Own).valid(OneOf(&["all", "-1", "0", "1"])),
    row(P, "batch.size", Int, value("16384"), Medium, Own).valid(AtLeast(0)),
    row(P, "buffer.memory", Long, value("33554432"), High, Own).valid(AtLeast(0)),
    row(P, "compression.type", String, value("none"), High, Own)
        .valid(OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
    row(P, "compression.gzip.level", Int, value("-1"), Medium, Own).valid(Between(-1, 9)),
    row(P, "compression.lz4.level", Int, value("9"), Medium, Own).valid(Between(1, 17)),
    row(P, "compression.zstd.level", Int, value("3"), Medium, Own).valid(Between(-131_072, 22)),
    row(P, "delivery.timeout.ms", Int, value("120000"), Medium, Own).valid(AtLeast(0)),
    row(P, "enable.idempotence", Boolean, value("true"), Low, Own),
    row(P, "linger.ms", Long, value("5"), Medium, Own).valid(AtLeast(0)),
    row(P, "max.block.ms", Long, value("60000"), Medium, Own).valid(AtLeast(0)),
    row(P, "max.in.flight.requests.per.connection", Int, value("5"), Low, Own).valid(AtLeast(1)),
    row(P, "max.request.size", Int, value("1048576"), Medium, Own).valid(AtLeast(0)),
    row(P, "partitioner.class", Class, Null, Medium, Own),
    row(P, "partitioner.ignore.keys", Boolean, value("false"), Medium, Own),
    row(P, "partitioner.adaptive.partitioning.enable", Boolean, value("true"), Low, Meaningless),
    row(P, "partitioner.availability.timeout.ms", Long, value("0"), Low, Missing).valid(AtLeast(0)),
    row(P, "retries", Int, value("2147483647"), High, Own).valid(Between(0, INT_MAX)),
    row(A, "retries", Int, value("2147483647"), Low, Meaningless).valid(Between(0, INT_MAX)),
    row(P, "transactional.id", String, Null, Low, Own).valid(NonEmpty),
    row(P, "transaction.timeout.ms", Int, value("60000"), Low, Own),
    row(P, "transaction.two.phase.commit.enable", Boolean, value("false"), Low, Missing),
    // The consumer.
    row(C, "key.deserializer", Class, Null, High, Meaningless),
    row(C, "value.deserializer", Class, Null, High, Meaningless),
    row(C, "allow.auto.create.topics", Boolean, value("true"), Medium, Pass("allow.auto.create.topics")),
    row(C, "auto.commit.interval.ms", Int, value("5000"), Low, Meaningless).valid(AtLeast(0)),
    row(C, "auto.offset.reset", String, value("latest"), Medium, Own),
    row(C, "check.crcs", Boolean, value("true"), Low, Own),
    row(C, "enable.auto.commit", Boolean, value("true"), Medium, Own),
    row(C, "exclude.internal.topics", Boolean, value("true"), Medium, Own),
    row(C, "fetch.max.bytes", Int, value("52428800"), Medium, Own).valid(AtLeast(0)),
    row(C, "fetch.max.wait.ms", Int, value("500"), Low, Own).valid(AtLeast(0)),
    row(C, "fetch.min.bytes", Int, value("1"), High, Own).valid(AtLeast(0)),
    row(C, "group.id", String, Null, High, Own),
    row(C, "group.instance.id", String, Null, Medium, Pass("group.instance.id")).valid(NonEmpty),
    row(C, "group.protocol", String, value("classic"), High, Own).valid(OneOfIgnoreCase(&["CONSUMER", "CLASSIC"])),
    row(C, "group.remote.assignor", String, Null, Medium, Own),
    row(C, "heartbeat.interval.ms", Int, value("3000"), High, Own),
    row(C, "internal.throw.on.fetch.stable.offset.unsupported", Boolean, value("false"), Low, Meaningless),
    row(C, "isolation.level", String, value("read_uncommitted"), Medium, Pass("isolation.level"))
        .valid(OneOf(&["read_committed", "read_uncommitted"])),
    row(C, "max.partition.fetch.bytes", Int, value("1048576"), High, Own).valid(AtLeast(0)),
    row(C, "max.poll.interval.ms", Int, value("300000"), Medium, Own).valid(AtLeast(1)),
    row(C, "max.poll.records", Int, value("500"), Medium, Meaningless).valid(AtLeast(1)),
    row(C, "partition.assignment.strategy", List,
        value("org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor"), Medium, Own),
    row(C, "session.timeout.ms", Int, value("45000"), High, Own),
    row(C, "share.acknowledgement.mode", String, value("implicit"), Medium, Meaningless),
    row(C, "share.acquire.mode", String, value("BATCH_OPTIMIZED"), Medium, Meaningless),
    // What plugs Java classes in, and metrics.
    row(ALL, "config.providers", List, value(""), Low, Meaningless),
    row(PC, "interceptor.classes", List, value(""), Low, Meaningless),
    row(ALL, "metric.reporters", List, value("org.apache.kafka.common.metrics.JmxReporter"), Low, Meaningless),
    row(ALL, "metrics.num.samples", Int, value("2"), Low, Meaningless).valid(AtLeast(1)),
    row(ALL, "metrics.recording.level", String, value("INFO"), Low, Meaningless).valid(OneOf(&["INFO", "DEBUG", "TRACE"])),
    row(ALL, "metrics.sample.window.ms", Long, value("30000"), Low, Meaningless).valid(AtLeast(0)),
    row(P, "enable.metrics.push", Boolean, value("true"), Low, Meaningless),
    row(C, "enable.metrics.push", Boolean, value("true"), Low, Pass("enable.metrics.push")),
    row(A, "enable.metrics.push", Boolean, value("false"), Low, Pass("enable.metrics.push")),
    // Security.
    row(ALL, "security.protocol", String, value("PLAINTEXT"), Medium, Own)
        .valid(OneOfIgnoreCase(&["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"])),
    row(ALL, "security.providers", String, Null, Low, Meaningless),
    row(ALL, "ssl.cipher.suites", List, value(""), Low, Own),
    row(ALL, "ssl.enabled.protocols", List, value("TLSv1.2,TLSv1.3"), Medium, Own),
    row(ALL, "ssl.endpoint.identification.algorithm", String, value("https"), Low, Own),
    row(ALL, "ssl.engine.factory.class", Class, Null, Low, Missing),
    row(ALL, "ssl.key.password", Password, Null, High, Own),
    row(ALL, "ssl.keymanager.algorithm", String, value("SunX509"), Low, Meaningless),
    row(ALL, "ssl.keystore.certificate.chain", Password, Null, High, Own),
    row(ALL, "ssl.keystore.key", Password, Null, High, Own),
    row(ALL, "ssl.keystore.location", String, Null, High, Own),
    row(ALL, "ssl.keystore.password", Password, Null, High, Own),
    row(ALL, "ssl.keystore.type", String, value("JKS"), Medium, Own),
    row(ALL, "ssl.protocol", String, value("TLSv1.3"), Medium, Meaningless),
    row(ALL, "ssl.provider", String, Null, Medium, Meaningless),
    row(ALL, "ssl.secure.random.implementation", String, Null, Low, Meaningless),
    row(ALL, "ssl.trustmanager.algorithm", String, value("PKIX"), Low, Meaningless),
    row(ALL, "ssl.truststore.certificates", Password, Null, High, Own),
    row(ALL, "ssl.truststore.location", String, Null, High, Own),
    row(ALL, "ssl.truststore.password", Password, Null, High, Own),
    row(ALL, "ssl.truststore.type", String, value("JKS"), Medium, Own),
    row(ALL, "sasl.mechanism", String, value("GSSAPI"), Medium, Own),
    row(ALL, "sasl.jaas.config", Password, Null, Medium, Own),
    row(ALL, "sasl.client.callback.handler.class", Class, Null, Medium, Missing),
    row(ALL, "sasl.login.callback.handler.class", Class, Null, Medium, Own),
    row(ALL, "sasl.login.class", Class, Null, Medium, Missing),
    row(ALL, "sasl.kerberos.kinit.cmd", String, value("/usr/bin/kinit"), Low, Meaningless),
    row(ALL, "sasl.kerberos.min.time.before.relogin", Long, value("60000"), Low, Meaningless),
    row(ALL, "sasl.kerberos.service.name", String, Null, Medium, Meaningless),
    row(ALL, "sasl.kerberos.ticket.renew.jitter", Double, value("0.05"), Low, Meaningless),
    row(ALL, "sasl.kerberos.ticket.renew.window.factor", Double, value("0.8"), Low, Meaningless),
    row(ALL, "sasl.login.connect.timeout.ms", Int, Null, Low, Own),
    row(ALL, "sasl.login.read.timeout.ms", Int, Null, Low, Own),
    row(ALL, "sasl.login.refresh.buffer.seconds", Short, value("300"), Low, Meaningless).valid(Between(0, 3600)),
    row(ALL, "sasl.login.refresh.min.period.seconds", Short, value("60"), Low, Meaningless).valid(Between(0, 900)),
    row(ALL, "sasl.login.refresh.window.factor", Double, value("0.8"), Low, Meaningless),
    row(ALL, "sasl.login.refresh.window.jitter", Double, value("0.05"), Low, Meaningless),
    row(ALL, "sasl.login.retry.backoff.max.ms", Long, value("10000"), Low, Meaningless),
    row(ALL, "sasl.login.retry.backoff.ms", Long, value("100"), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.token.endpoint.url", String, Null, Medium, Own),
    row(ALL, "sasl.oauthbearer.client.credentials.client.id", String, Null, Medium, Own),
    row(ALL, "sasl.oauthbearer.client.credentials.client.secret", Password, Null, Medium, Own),
    row(ALL, "sasl.oauthbearer.scope", String, Null, Medium, Own),
    row(ALL, "sasl.oauthbearer.header.urlencode", Boolean, value("false"), Low, Own),
    row(ALL, "sasl.oauthbearer.scope.claim.name", String, value("scope"), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.sub.claim.name", String, value("sub"), Low, Own),
    row(ALL, "sasl.oauthbearer.clock.skew.seconds", Int, value("30"), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.expected.audience", List, value(""), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.expected.issuer", String, Null, Low, Meaningless),
    row(ALL, "sasl.oauthbearer.jwks.endpoint.refresh.ms", Long, value("3600000"), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Long, value("10000"), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Long, value("100"), Low, Meaningless),
    row(ALL, "sasl.oauthbearer.jwks.endpoint.url", String, Null, Medium, Meaningless),
    row(ALL, "sasl.oauthbearer.jwt.retriever.class", Class,
        value("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"), Medium, Missing),
    row(ALL, "sasl.oauthbearer.jwt.validator.class", Class,
        value("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"), Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.algorithm", String, value("RS256"), Medium, Missing)
        .valid(OneOfIgnoreCase(&["ES256", "RS256"])),
    row(ALL, "sasl.oauthbearer.assertion.claim.aud", String, Null, Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.claim.exp.seconds", Int, value("300"), Low, Missing).valid(Between(0, 86_400)),
    row(ALL, "sasl.oauthbearer.assertion.claim.iss", String, Null, Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.claim.jti.include", Boolean, value("false"), Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.claim.nbf.seconds", Int, value("60"), Low, Missing).valid(Between(0, 3600)),
    row(ALL, "sasl.oauthbearer.assertion.claim.sub", String, Null, Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.file", String, Null, Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.private.key.file", String, Null, Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.private.key.passphrase", Password, Null, Medium, Missing),
    row(ALL, "sasl.oauthbearer.assertion.template.file", String, Null, Medium, Missing),
];
