package org.apache.kafka.connect.runtime.distributed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.distributed.WorkerCoordinator.ConnectorsAndTasks;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** Rounds of the cooperative assignor, which is visible in its own package only. */
public final class Assignments {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private Assignments() {
    }

    /** One assignor goes through all rounds of the question. */
    public static ObjectNode assign(JsonNode question) {
        long[] now = {0};
        Time time = (Time) Proxy.newProxyInstance(
            Assignments.class.getClassLoader(),
            new Class<?>[] {Time.class},
            (proxy, method, arguments) -> {
                if (method.getName().equals("milliseconds")) {
                    return now[0];
                }
                throw new UnsupportedOperationException(method.getName());
            });
        var assignor = new IncrementalCooperativeAssignor(
            new LogContext(), time, question.get("max_delay").intValue());
        ObjectNode answer = JSON.objectNode();
        ArrayNode outcomes = answer.putArray("outcomes");
        for (JsonNode round : question.get("rounds")) {
            now[0] = round.get("now").longValue();
            Map<String, ConnectorsAndTasks> members = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> member : round.get("members").properties()) {
                members.put(member.getKey(), work(member.getValue()));
            }
            var assigned = assignor.performTaskAssignment(
                configured(round.get("configured")),
                round.get("completed").intValue(),
                round.get("generation").intValue(),
                members);
            ObjectNode outcome = outcomes.addObject();
            outcome.put("delay", assignor.delay);
            ObjectNode starts = outcome.putObject("assigned");
            ObjectNode stops = outcome.putObject("revoked");
            for (String member : members.keySet()) {
                starts.set(member, work(
                    assigned.newlyAssignedConnectors(member), assigned.newlyAssignedTasks(member)));
                stops.set(member, work(
                    assigned.newlyRevokedConnectors(member), assigned.newlyRevokedTasks(member)));
            }
        }
        return answer;
    }

    private static ConnectorsAndTasks work(JsonNode work) {
        List<String> connectors = new ArrayList<>();
        work.get("connectors").forEach(connector -> connectors.add(connector.textValue()));
        List<ConnectorTaskId> tasks = new ArrayList<>();
        for (JsonNode task : work.get("tasks")) {
            tasks.add(new ConnectorTaskId(task.get(0).textValue(), task.get(1).intValue()));
        }
        return new ConnectorsAndTasks.Builder().with(connectors, tasks).build();
    }

    private static ObjectNode work(Collection<String> connectors, Collection<ConnectorTaskId> tasks) {
        ObjectNode work = JSON.objectNode();
        new TreeSet<>(connectors).forEach(work.putArray("connectors")::add);
        ArrayNode array = work.putArray("tasks");
        for (ConnectorTaskId task : new TreeSet<>(tasks)) {
            array.addArray().add(task.connector()).add(task.task());
        }
        return work;
    }

    /** From an object of connectors and the numbers of their tasks. */
    private static ClusterConfigState configured(JsonNode configured) {
        Map<String, Integer> counts = new HashMap<>();
        Map<String, Map<String, String>> configs = new HashMap<>();
        for (Map.Entry<String, JsonNode> connector : configured.properties()) {
            counts.put(connector.getKey(), connector.getValue().intValue());
            configs.put(connector.getKey(), Map.of());
        }
        return new ClusterConfigState(
            0, null, counts, configs, Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), Set.of(), Set.of());
    }
}
