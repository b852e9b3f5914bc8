package tether.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.confluent.kafka.schemaregistry.ParsedSchema;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.testutil.MockSchemaRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigTransformer;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.config.provider.ConfigProvider;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaProjector;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.header.Headers;
import org.apache.kafka.connect.runtime.distributed.Assignments;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.ConverterConfig;
import org.apache.kafka.connect.storage.ConverterType;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Answers questions about what the Java classes do, so that tests can compare.
 *
 * <p>Reads one JSON object per line from standard input and writes one per line to standard output, in
 * the same order. Every question has an {@code op}; classes are any on the class path, made anew for
 * each question; {@code config} is an object of strings. An exception is an answer as well:
 *
 * <pre>
 * {"error": "org.apache.kafka.connect.errors.DataException", "message": "...", "cause_messages": [...]}
 * </pre>
 *
 * <h2>Questions</h2>
 *
 * <pre>
 * {"op":"from_connect","converter":C,"config":{},"is_key":false,"topic":"t","schema":S,"value":V}
 *     -> {"bytes": base64 or null}
 * {"op":"to_connect","converter":C,"config":{},"is_key":false,"topic":"t","bytes": base64 or null}
 *     -> {"schema":S,"value":V}
 * {"op":"from_connect_header","converter":C,"config":{},"topic":"t","header":"h","schema":S,"value":V}
 *     -> {"bytes": ...}
 * {"op":"to_connect_header","converter":C,"config":{},"topic":"t","header":"h","bytes": ...}
 *     -> {"schema":S,"value":V}
 * {"op":"transform","class":T,"config":{},"kind":"source" or "sink","record":R}
 *     -> {"record": R or null}                       ("records": [R...] instead goes through one instance)
 * {"op":"predicate","class":P,"config":{},"kind":...,"record":R}          -> {"result": boolean}
 * {"op":"project","source":S,"value":V,"target":S}                        -> {"value":V}
 * {"op":"validate","class":X,"config":{}}      -> {"configs":[{"name","value","errors":[]...}]}
 *     X has a method config() that returns a ConfigDef: connectors, converters, transformations
 * {"op":"resolve","providers":{"name":C...},"text":"..."}                 -> {"text":"..."}
 *     what config providers of these classes make of the variables in a text
 * {"op":"register","scope":"s","subject":"t-value","schema":"avro text"}  -> {"id":1}
 * {"op":"registered","scope":"s"}
 *     -> {"schemas":[{"subject","version","id","schema"}]}   what schema.registry.url=mock://s holds
 * {"op":"forget","scope":"s"}                                             -> {}
 * {"op":"assign","max_delay":ms,"rounds":[{"configured":{"c":tasks},"members":{"m":W},"completed":
 *     generation,"generation":n,"now":ms}...]}
 *     -> {"outcomes":[{"assigned":{"m":W},"revoked":{"m":W},"delay":ms}...]}
 *     what a cooperative leader makes of rounds; W is {"connectors":["c"],"tasks":[["c",0]]}
 * </pre>
 *
 * A record R is {@code {"topic","partition","key_schema","key","value_schema","value","timestamp",
 * "offset","headers":[{"key","schema","value"}]}}; what is left out is null, and the offset is a sink's.
 * The forms of schemas S and values V are described in {@link SchemaJson} and {@link ValueJson}.
 */
public final class Oracle {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private Oracle() {
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        // Whatever a class prints must not end up between the answers.
        System.setOut(System.err);
        BufferedReader questions =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            ObjectNode answer;
            try {
                answer = answer(MAPPER.readTree(line));
            } catch (Throwable failure) {
                answer = failed(failure);
            }
            answers.write(MAPPER.writeValueAsBytes(answer));
            answers.write('\n');
            answers.flush();
        }
    }

    private static ObjectNode answer(JsonNode question) throws Exception {
        String op = question.path("op").asText();
        return switch (op) {
            case "from_connect" -> fromConnect(question);
            case "to_connect" -> toConnect(question);
            case "from_connect_header" -> fromConnectHeader(question);
            case "to_connect_header" -> toConnectHeader(question);
            case "transform" -> transform(question);
            case "predicate" -> predicate(question);
            case "project" -> project(question);
            case "validate" -> validate(question);
            case "resolve" -> resolve(question);
            case "register" -> register(question);
            case "registered" -> registered(question);
            case "forget" -> forget(question);
            case "assign" -> Assignments.assign(question);
            default -> throw new IllegalArgumentException("unknown op " + op);
        };
    }

    private static ObjectNode failed(Throwable failure) {
        ObjectNode answer = JSON.objectNode();
        answer.put("error", failure.getClass().getName());
        answer.put("message", failure.getMessage());
        ArrayNode causes = answer.putArray("cause_messages");
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            causes.add(cause.getMessage());
        }
        return answer;
    }

    // Converters

    private static ObjectNode fromConnect(JsonNode question) throws Exception {
        Converter converter = converter(question);
        Schema schema = SchemaJson.read(question.get("schema"));
        Object value = ValueJson.read(question.get("value"), schema);
        RecordHeaders headers = new RecordHeaders();
        for (JsonNode header : question.path("headers")) {
            String text = header.get("value").textValue();
            headers.add(
                header.get("key").asText(),
                text == null ? null : text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes(converter.fromConnectData(topic(question), headers, schema, value));
    }

    private static ObjectNode toConnect(JsonNode question) throws Exception {
        Converter converter = converter(question);
        return schemaAndValue(
            converter.toConnectData(topic(question), new RecordHeaders(), bytes(question)));
    }

    private static ObjectNode fromConnectHeader(JsonNode question) throws Exception {
        HeaderConverter converter = headerConverter(question);
        Schema schema = SchemaJson.read(question.get("schema"));
        Object value = ValueJson.read(question.get("value"), schema);
        return bytes(converter.fromConnectHeader(topic(question), header(question), schema, value));
    }

    private static ObjectNode toConnectHeader(JsonNode question) throws Exception {
        HeaderConverter converter = headerConverter(question);
        return schemaAndValue(
            converter.toConnectHeader(topic(question), header(question), bytes(question)));
    }

    private static Converter converter(JsonNode question) throws Exception {
        Converter converter = make(Converter.class, question.path("converter").asText());
        converter.configure(config(question), question.path("is_key").asBoolean(false));
        return converter;
    }

    private static HeaderConverter headerConverter(JsonNode question) throws Exception {
        HeaderConverter converter = make(HeaderConverter.class, question.path("converter").asText());
        Map<String, Object> config = new HashMap<>(config(question));
        config.putIfAbsent(ConverterConfig.TYPE_CONFIG, ConverterType.HEADER.getName());
        converter.configure(config);
        return converter;
    }

    private static ObjectNode bytes(byte[] bytes) {
        ObjectNode answer = JSON.objectNode();
        answer.put("bytes", bytes == null ? null : Base64.getEncoder().encodeToString(bytes));
        return answer;
    }

    private static byte[] bytes(JsonNode question) {
        JsonNode bytes = question.get("bytes");
        return bytes == null || bytes.isNull() ? null : Base64.getDecoder().decode(bytes.asText());
    }

    private static ObjectNode schemaAndValue(SchemaAndValue both) {
        ObjectNode answer = JSON.objectNode();
        answer.set("schema", SchemaJson.write(both.schema()));
        answer.set("value", ValueJson.write(both.value(), both.schema()));
        return answer;
    }

    private static String topic(JsonNode question) {
        return question.path("topic").asText("topic");
    }

    private static String header(JsonNode question) {
        return question.path("header").asText("header");
    }

    // Transformations

    private static ObjectNode transform(JsonNode question) throws Exception {
        String name = question.path("class").asText();
        boolean isSink = isSink(question);
        try (Transformation<?> transformation = make(Transformation.class, name)) {
            transformation.configure(config(question));
            ObjectNode answer = JSON.objectNode();
            if (question.has("records")) {
                ArrayNode records = answer.putArray("records");
                for (JsonNode record : question.get("records")) {
                    records.add(transformed(transformation, record, isSink));
                }
            } else {
                answer.set("record", transformed(transformation, question.get("record"), isSink));
            }
            return answer;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static JsonNode transformed(
        Transformation transformation, JsonNode record, boolean isSink) {
        return record(transformation.apply(record(record, isSink)));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static ObjectNode predicate(JsonNode question) throws Exception {
        try (Predicate predicate = make(Predicate.class, question.path("class").asText())) {
            predicate.configure(config(question));
            ConnectRecord record = record(question.get("record"), isSink(question));
            return JSON.objectNode().put("result", predicate.test(record));
        }
    }

    private static ObjectNode resolve(JsonNode question) throws Exception {
        Map<String, ConfigProvider> providers = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : question.path("providers").properties()) {
            ConfigProvider provider = make(ConfigProvider.class, entry.getValue().asText());
            provider.configure(Map.of());
            providers.put(entry.getKey(), provider);
        }
        String text = question.path("text").asText();
        Map<String, String> resolved = new ConfigTransformer(providers).transform(Map.of("key", text)).data();
        return JSON.objectNode().put("text", resolved.get("key"));
    }

    private static boolean isSink(JsonNode question) {
        return question.path("kind").asText("source").equals("sink");
    }

    private static ConnectRecord<?> record(JsonNode record, boolean isSink) {
        String topic = record.path("topic").asText("topic");
        Integer partition = record.hasNonNull("partition") ? record.get("partition").intValue() : null;
        Long timestamp = record.hasNonNull("timestamp") ? record.get("timestamp").longValue() : null;
        Schema keySchema = SchemaJson.read(record.get("key_schema"));
        Object key = ValueJson.read(record.get("key"), keySchema);
        Schema valueSchema = SchemaJson.read(record.get("value_schema"));
        Object value = ValueJson.read(record.get("value"), valueSchema);
        Headers headers = new ConnectHeaders();
        for (JsonNode header : record.path("headers")) {
            Schema schema = SchemaJson.read(header.get("schema"));
            headers.add(
                header.get("key").asText(),
                new SchemaAndValue(schema, ValueJson.read(header.get("value"), schema)));
        }
        if (isSink) {
            return new SinkRecord(
                topic, partition == null ? 0 : partition, keySchema, key, valueSchema, value,
                record.path("offset").asLong(0), timestamp,
                timestamp == null ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME,
                headers);
        }
        return new SourceRecord(
            Map.of(), Map.of(), topic, partition, keySchema, key, valueSchema, value, timestamp,
            headers);
    }

    private static JsonNode record(ConnectRecord<?> record) {
        if (record == null) {
            return JSON.nullNode();
        }
        ObjectNode json = JSON.objectNode();
        json.put("topic", record.topic());
        json.put("partition", record.kafkaPartition());
        json.set("key_schema", SchemaJson.write(record.keySchema()));
        json.set("key", ValueJson.write(record.key(), record.keySchema()));
        json.set("value_schema", SchemaJson.write(record.valueSchema()));
        json.set("value", ValueJson.write(record.value(), record.valueSchema()));
        json.put("timestamp", record.timestamp());
        ArrayNode headers = json.putArray("headers");
        for (Header header : record.headers()) {
            ObjectNode one = headers.addObject();
            one.put("key", header.key());
            one.set("schema", SchemaJson.write(header.schema()));
            one.set("value", ValueJson.write(header.value(), header.schema()));
        }
        return json;
    }

    private static ObjectNode project(JsonNode question) {
        Schema source = SchemaJson.read(question.get("source"));
        Schema target = SchemaJson.read(question.get("target"));
        Object value = ValueJson.read(question.get("value"), source);
        ObjectNode answer = JSON.objectNode();
        answer.set("value", ValueJson.write(SchemaProjector.project(source, value, target), target));
        return answer;
    }

    // Configuration

    private static ObjectNode validate(JsonNode question) throws Exception {
        Object configured = make(Object.class, question.path("class").asText());
        ConfigDef definition =
            (ConfigDef) configured.getClass().getMethod("config").invoke(configured);
        ObjectNode answer = JSON.objectNode();
        ArrayNode configs = answer.putArray("configs");
        for (ConfigValue value : definition.validate(config(question))) {
            ObjectNode one = configs.addObject();
            one.put("name", value.name());
            ConfigDef.ConfigKey key = definition.configKeys().get(value.name());
            one.put("value", ConfigDef.convertToString(value.value(), key == null ? null : key.type));
            one.put("visible", value.visible());
            value.errorMessages().forEach(one.putArray("errors")::add);
            ArrayNode recommended = one.putArray("recommended_values");
            value.recommendedValues().forEach(choice -> recommended.add(String.valueOf(choice)));
        }
        return answer;
    }

    private static Map<String, String> config(JsonNode question) {
        Map<String, String> config = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : question.path("config").properties()) {
            JsonNode value = entry.getValue();
            config.put(entry.getKey(), value.isNull() ? null : value.asText());
        }
        return config;
    }

    private static <T> T make(Class<T> type, String name) throws Exception {
        return type.cast(Class.forName(name).getDeclaredConstructor().newInstance());
    }

    // The registry behind schema.registry.url=mock://<scope>

    private static ObjectNode register(JsonNode question) throws Exception {
        ParsedSchema schema = new AvroSchema(question.path("schema").asText());
        int id = registry(question).register(question.path("subject").asText(), schema);
        return JSON.objectNode().put("id", id);
    }

    private static ObjectNode registered(JsonNode question) throws Exception {
        SchemaRegistryClient registry = registry(question);
        ObjectNode answer = JSON.objectNode();
        ArrayNode schemas = answer.putArray("schemas");
        for (String subject : new TreeSet<>(registry.getAllSubjects())) {
            List<Integer> versions = new ArrayList<>(registry.getAllVersions(subject));
            for (int version : versions) {
                var metadata = registry.getSchemaMetadata(subject, version);
                schemas.addObject()
                    .put("subject", subject)
                    .put("version", version)
                    .put("id", metadata.getId())
                    .put("schema", metadata.getSchema());
            }
        }
        return answer;
    }

    private static ObjectNode forget(JsonNode question) {
        MockSchemaRegistry.dropScope(question.path("scope").asText());
        return JSON.objectNode();
    }

    private static SchemaRegistryClient registry(JsonNode question) {
        return MockSchemaRegistry.getClientForScope(question.path("scope").asText());
    }
}
