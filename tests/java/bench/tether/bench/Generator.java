package tether.bench;

import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/**
 * Makes records as fast as the worker takes them, the same ones as the generator in
 * {@code tests/benches/runtime_worker}.
 */
public final class Generator extends SourceConnector {
    private static final ConfigDef CONFIG = new ConfigDef()
            .define("topic", Type.STRING, Importance.HIGH, "The topic")
            .define("records", Type.LONG, Importance.HIGH, "How many records")
            .define("batch.size", Type.INT, Importance.HIGH, "Records of a poll")
            .define("text.length", Type.INT, Importance.HIGH, "Characters of the last field");

    private Map<String, String> config;

    @Override
    public String version() {
        return "1";
    }

    @Override
    public void start(Map<String, String> config) {
        this.config = config;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return GeneratorTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return List.of(config);
    }

    @Override
    public void stop() {}

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    /** The task. */
    public static final class GeneratorTask extends SourceTask {
        private static final int VARIANTS = 64;
        private static final long START = 1_700_000_000_000L;
        private static final Schema SCHEMA = SchemaBuilder.struct()
                .name("tether.bench.Record")
                .field("id", Schema.INT64_SCHEMA)
                .field("account", Schema.INT32_SCHEMA)
                .field("active", Schema.BOOLEAN_SCHEMA)
                .field("ratio", Schema.FLOAT64_SCHEMA)
                .field("created", Timestamp.SCHEMA)
                .field("code", Schema.STRING_SCHEMA)
                .field("city", Schema.STRING_SCHEMA)
                .field("note", Schema.OPTIONAL_STRING_SCHEMA)
                .field("text", Schema.STRING_SCHEMA)
                .build();
        private static final Field[] FIELDS = SCHEMA.fields().toArray(new Field[0]);
        private static final Map<String, String> PARTITION = Map.of("generator", "only");

        private String topic;
        private int batchSize;
        private long records;
        private long next;
        private final String[] codes = new String[VARIANTS];
        private final String[] cities = new String[VARIANTS];
        private final String[] notes = new String[VARIANTS];
        private final String[] texts = new String[VARIANTS];

        @Override
        public String version() {
            return "1";
        }

        @Override
        public void start(Map<String, String> properties) {
            AbstractConfig config = new AbstractConfig(CONFIG, properties);
            topic = config.getString("topic");
            records = config.getLong("records");
            batchSize = config.getInt("batch.size");
            for (int variant = 0; variant < VARIANTS; variant++) {
                codes[variant] = text(variant, 8);
                cities[variant] = text(variant + 3, 9);
                notes[variant] = variant % 4 == 0 ? null : text(variant + 5, 16);
                texts[variant] = text(variant + 7, config.getInt("text.length"));
            }
        }

        /** Words of small letters. */
        static String text(int seed, int length) {
            StringBuilder text = new StringBuilder(length);
            for (int at = 0; at < length; at++) {
                int number = (seed * 31 + at * 7) % 27;
                text.append(number == 26 ? ' ' : (char) ('a' + number));
            }
            return text.toString();
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            if (next >= records) {
                Thread.sleep(100);
                return null;
            }
            int count = (int) Math.min(batchSize, records - next);
            List<SourceRecord> batch = new ArrayList<>(count);
            for (int at = 0; at < count; at++) {
                long number = next++;
                int variant = (int) (number % VARIANTS);
                Struct value = new Struct(SCHEMA)
                        .put(FIELDS[0], number)
                        .put(FIELDS[1], (int) (number % 100_000))
                        .put(FIELDS[2], number % 3 == 0)
                        .put(FIELDS[3], number % 10_000 * 0.25)
                        .put(FIELDS[4], new Date(START + number))
                        .put(FIELDS[5], codes[variant])
                        .put(FIELDS[6], cities[variant])
                        .put(FIELDS[7], notes[variant])
                        .put(FIELDS[8], texts[variant]);
                Map<String, Long> offset = Map.of("next", next);
                batch.add(new SourceRecord(PARTITION, offset, topic, SCHEMA, value));
            }
            return batch;
        }

        @Override
        public void stop() {}
    }
}
