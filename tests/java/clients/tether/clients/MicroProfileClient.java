package tether.clients;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ContextResolver;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.eclipse.microprofile.rest.client.RestClientBuilder;
import org.eclipse.microprofile.rest.client.ext.ResponseExceptionMapper;

/**
 * Calls a worker as kcctl does, through the same library and into records as strict as its own: {@code
 * MicroProfileClient URL}. Reads lines with the name of a call, the name of what it is about, and a body in
 * JSON, separated by tabs; answers each with a line of JSON, or with the error that the worker tells.
 */
public final class MicroProfileClient {
    /** Fields that a record does not have are passed over; those that it has must fit. */
    private static final ObjectMapper JSON = new ObjectMapper()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    /** The level that is changed without harm. */
    private static final String LOGGER = "tether.clients";

    private final Worker worker;

    private MicroProfileClient(String url) {
        worker = RestClientBuilder.newBuilder()
                .baseUri(URI.create(url))
                .register(Mapper.class)
                .register(Refusals.class, 50)
                .build(Worker.class);
    }

    public static void main(String[] arguments) throws Exception {
        Logger.getLogger("").setLevel(Level.SEVERE);
        MicroProfileClient client = new MicroProfileClient(arguments[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] call = line.split("\t", 3);
            System.out.println(client.answer(call[0], call[1], call[2]));
        }
    }

    private String answer(String call, String name, String body) throws Exception {
        try {
            return JSON.writeValueAsString(call(call, name, body));
        } catch (Refused refused) {
            return "Refused: " + refused.getMessage();
        } catch (RuntimeException error) {
            return String.valueOf(error).replace('\n', ' ');
        }
    }

    private Object call(String call, String name, String body) throws Exception {
        switch (call) {
            case "info":
                Info info = worker.info();
                return List.of(info.version().split("\\.")[0], !info.commit().isEmpty(), info.kafkaClusterId());
            case "plugins":
                // Each worker has others besides, and versions of its own.
                return worker.plugins(false).stream()
                        .filter(plugin -> plugin.name().startsWith(name) && !plugin.version().isEmpty())
                        .collect(Collectors.toMap(Plugin::name, Plugin::type, (a, b) -> a, TreeMap::new));
            case "plugin-config":
                return worker.pluginConfig(name);
            case "validate":
                return worker.validate(name, body);
            case "connectors":
                return worker.connectors();
            case "create":
                return worker.create(body);
            case "connector":
                return worker.connector(name);
            case "expanded":
                return new TreeMap<>(worker.expanded(List.of("status", "info")));
            case "status":
                return worker.status(name);
            case "config":
                return worker.config(name);
            case "configure":
                return worker.configure(name, body);
            case "tasks":
                return worker.tasks(name);
            case "topics":
                return worker.topics(name);
            case "offsets":
                return worker.offsets(name);
            case "change-offsets":
                return worker.changeOffsets(name, JSON.readValue(body, Offsets.class));
            case "delete-offsets":
                return worker.deleteOffsets(name);
            case "restart":
                worker.restart(name);
                return "done";
            case "restart-all":
                return worker.restart(name, true, false);
            case "restart-task":
                return worker.restartTask(name, "0");
            case "pause":
                worker.pause(name);
                return "done";
            case "resume":
                worker.resume(name);
                return "done";
            case "stop":
                worker.stop(name);
                return "done";
            case "delete":
                worker.delete(name);
                return "done";
            case "set-level":
                return worker.setLevel(LOGGER, body);
            case "set-levels":
                return worker.setLevel(LOGGER, "cluster", body);
            case "level":
                LoggerLevel level = worker.level(LOGGER);
                return List.of(level.level(), level.lastModified() != null);
            case "levels":
                return worker.levels().get(LOGGER).level();
            default:
                throw new IllegalArgumentException(call);
        }
    }

    /** The resources that kcctl uses. Some paths end with a slash there, too. */
    @Path("/")
    @Produces(MediaType.APPLICATION_JSON)
    @Consumes(MediaType.APPLICATION_JSON)
    public interface Worker {
        @GET
        Info info();

        @GET
        @Path("connector-plugins")
        List<Plugin> plugins(@QueryParam("connectorsOnly") Boolean connectorsOnly);

        @GET
        @Path("connector-plugins/{name}/config")
        List<Definition> pluginConfig(@PathParam("name") String name);

        @PUT
        @Path("connector-plugins/{name}/config/validate")
        Validated validate(@PathParam("name") String name, String config);

        @GET
        @Path("connectors/")
        List<String> connectors();

        @POST
        @Path("connectors/")
        Status create(String connector);

        @GET
        @Path("connectors")
        Map<String, Expanded> expanded(@QueryParam("expand") List<String> expand);

        @GET
        @Path("connectors/{name}")
        Connector connector(@PathParam("name") String name);

        @DELETE
        @Path("connectors/{name}")
        void delete(@PathParam("name") String name);

        @GET
        @Path("connectors/{name}/status")
        Status status(@PathParam("name") String name);

        @GET
        @Path("connectors/{name}/config")
        Map<String, String> config(@PathParam("name") String name);

        @PUT
        @Path("connectors/{name}/config")
        Status configure(@PathParam("name") String name, String config);

        @GET
        @Path("connectors/{name}/tasks")
        List<Task> tasks(@PathParam("name") String name);

        @GET
        @Path("connectors/{name}/topics")
        Map<String, Topics> topics(@PathParam("name") String name);

        @GET
        @Path("connectors/{name}/offsets")
        Offsets offsets(@PathParam("name") String name);

        @PATCH
        @Path("connectors/{name}/offsets")
        Changed changeOffsets(@PathParam("name") String name, Offsets offsets);

        @DELETE
        @Path("connectors/{name}/offsets")
        Changed deleteOffsets(@PathParam("name") String name);

        @POST
        @Path("connectors/{name}/restart")
        void restart(@PathParam("name") String name);

        @POST
        @Path("connectors/{name}/restart")
        Status restart(
                @PathParam("name") String name,
                @QueryParam("includeTasks") boolean includeTasks,
                @QueryParam("onlyFailed") boolean onlyFailed);

        @POST
        @Path("connectors/{name}/tasks/{task}/restart")
        Connector restartTask(@PathParam("name") String name, @PathParam("task") String task);

        @PUT
        @Path("connectors/{name}/pause")
        void pause(@PathParam("name") String name);

        @PUT
        @Path("connectors/{name}/resume")
        void resume(@PathParam("name") String name);

        @PUT
        @Path("connectors/{name}/stop")
        void stop(@PathParam("name") String name);

        @PUT
        @Path("admin/loggers/{logger}")
        List<String> setLevel(@PathParam("logger") String logger, String level);

        @PUT
        @Path("admin/loggers/{logger}")
        String setLevel(@PathParam("logger") String logger, @QueryParam("scope") String scope, String level);

        @GET
        @Path("admin/loggers/{logger}")
        LoggerLevel level(@PathParam("logger") String logger);

        @GET
        @Path("admin/loggers")
        Map<String, LoggerLevel> levels();
    }

    public record Info(String version, String commit, @JsonProperty("kafka_cluster_id") String kafkaClusterId) {}

    public record Plugin(@JsonProperty("class") String name, String type, String version) {}

    public record Definition(
            String name,
            String type,
            boolean required,
            @JsonProperty("default_value") String defaultValue,
            String importance,
            // Each worker has its own words.
            @JsonProperty(access = JsonProperty.Access.WRITE_ONLY) String documentation,
            String group,
            String width,
            List<String> dependents) {}

    public record Value(String name, String value, List<String> errors, boolean visible) {}

    public record Setting(Definition definition, Value value) {}

    public record Validated(
            String name, @JsonProperty("error_count") int errorCount, List<String> groups, List<Setting> configs) {}

    public record Instance(String state, @JsonProperty("worker_id") String workerId) {}

    public record TaskInstance(int id, String state, @JsonProperty("worker_id") String workerId, String trace) {}

    public record Status(String name, Instance connector, String type, List<TaskInstance> tasks) {}

    public record TaskId(String connector, Integer task) {}

    public record Connector(String name, Map<String, String> config, List<TaskId> tasks, String type) {}

    public record Expanded(Status status, Connector info) {}

    public record Task(TaskId id, Map<String, String> config) {}

    public record Topics(List<String> topics) {}

    public record Offset(Map<String, ?> partition, Map<String, ?> offset) {}

    public record Offsets(List<Offset> offsets) {}

    public record Changed(String message) {}

    public record LoggerLevel(String level, @JsonProperty("last_modified") Long lastModified) {}

    public record Error(@JsonProperty("error_code") int code, String message) {}

    /** What a worker says in place of an answer. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refused(Error error) {
            super(error.code() + " " + error.message());
        }
    }

    public static final class Refusals implements ResponseExceptionMapper<Refused> {
        @Override
        public Refused toThrowable(Response response) {
            return new Refused(response.readEntity(Error.class));
        }
    }

    public static final class Mapper implements ContextResolver<ObjectMapper> {
        @Override
        public ObjectMapper getContext(Class<?> type) {
            return JSON;
        }
    }
}
