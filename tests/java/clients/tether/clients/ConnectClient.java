package tether.clients;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;

/**
 * Calls a worker through org.sourcelab's client: {@code ConnectClient URL}. Reads lines with the name of
 * a call, the name of a connector or plugin, and a configuration in JSON, separated by tabs; answers each
 * with a line of JSON, or with the error that the library throws.
 */
public final class ConnectClient {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    private final KafkaConnectClient client;

    private ConnectClient(String url) {
        client = new KafkaConnectClient(new Configuration(url));
    }

    public static void main(String[] arguments) throws Exception {
        ConnectClient client = new ConnectClient(arguments[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] call = line.split("\t", 3);
            System.out.println(client.answer(call[0], call[1], call[2]));
        }
    }

    private String answer(String call, String name, String config) throws Exception {
        try {
            return JSON.writeValueAsString(call(call, name, config));
        } catch (RuntimeException error) {
            return error.getClass().getSimpleName() + ": " + error.getMessage();
        }
    }

    /** The settings with what is wrong about each. */
    private Map<String, Collection<String>> validate(ConnectorPluginConfigDefinition config) {
        Map<String, Collection<String>> errors = new TreeMap<>();
        client.validateConnectorPluginConfig(config)
                .getConfigs()
                .forEach(found -> errors.put(
                        found.getDefinition().getName(), found.getValue().getErrors()));
        return errors;
    }

    private Object call(String call, String name, String json) throws Exception {
        @SuppressWarnings("unchecked")
        Map<String, String> config = JSON.readValue(json, Map.class);
        switch (call) {
            case "version":
                return client.getConnectServerVersion().getVersion().split("\\.")[0];
            case "connectors":
                return client.getConnectors();
            case "expanded":
                return client.getConnectorsWithAllExpandedMetadata();
            case "connector":
                return client.getConnector(name);
            case "config":
                return client.getConnectorConfig(name);
            case "status":
                return client.getConnectorStatus(name);
            case "tasks":
                return client.getConnectorTasks(name);
            case "task-status":
                return client.getConnectorTaskStatus(name, 0);
            case "reset-topics":
                return client.resetConnectorTopics(name);
            case "add":
                return client.addConnector(new NewConnectorDefinition(name, config));
            case "update":
                return client.updateConnectorConfig(name, config);
            case "pause":
                return client.pauseConnector(name);
            case "resume":
                return client.resumeConnector(name);
            case "stop":
                return client.stopConnector(name);
            case "restart":
                return client.restartConnector(name);
            case "restart-failed":
                return client.restartConnector(
                        new PostConnectorRestart(name).withIncludeTasks(true).withOnlyFailed(true));
            case "restart-task":
                return client.restartConnectorTask(name, 0);
            case "delete":
                return client.deleteConnector(name);
            case "validate":
                return validate(new ConnectorPluginConfigDefinition(name, config));
            default:
                throw new IllegalArgumentException(call);
        }
    }
}
