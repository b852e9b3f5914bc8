package tether.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** Counts records and drops them; writes the count to a file whenever it has reached a mark. */
public final class NullSink extends SinkConnector {
    private static final ConfigDef CONFIG = new ConfigDef()
            .define("marks", Type.LIST, Importance.HIGH, "Counts to tell of, ascending")
            .define("marks.file", Type.STRING, Importance.HIGH, "Where to tell of them");

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
        return NullSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return Collections.nCopies(maxTasks, config);
    }

    @Override
    public void stop() {}

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    /** The task. */
    public static final class NullSinkTask extends SinkTask {
        private long count;
        private long[] marks;
        private int reached;
        private Path file;

        @Override
        public String version() {
            return "1";
        }

        @Override
        public void start(Map<String, String> properties) {
            AbstractConfig config = new AbstractConfig(CONFIG, properties);
            marks = config.getList("marks").stream().mapToLong(Long::parseLong).toArray();
            file = Path.of(config.getString("marks.file"));
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            count += records.size();
            while (reached < marks.length && count >= marks[reached]) {
                reached++;
                try {
                    Files.writeString(file, count + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                } catch (IOException error) {
                    throw new ConnectException(error);
                }
            }
        }

        @Override
        public void stop() {}
    }
}
