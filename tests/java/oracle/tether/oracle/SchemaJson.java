package tether.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * Schemas as JSON, without loss. No schema is {@code null}; otherwise
 *
 * <pre>
 * {"type": "int8" | "int16" | "int32" | "int64" | "float32" | "float64" | "boolean" | "string"
 *        | "bytes" | "array" | "map" | "struct",
 *  "optional": boolean,                       false when left out
 *  "name": string, "version": integer, "doc": string,              left out when there is none
 *  "parameters": [[key, value], ...],         in order; left out when there are none
 *  "default": value,                          as in {@link ValueJson}; left out when there is none
 *  "fields": [{"name": string, "schema": schema}, ...],            of a struct
 *  "items": schema,                                                of an array
 *  "key": schema, "value": schema}                                 of a map
 * </pre>
 */
final class SchemaJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private SchemaJson() {
    }

    static Schema read(JsonNode json) {
        if (json == null || json.isNull()) {
            return null;
        }
        Schema.Type type = Schema.Type.valueOf(json.get("type").asText().toUpperCase(Locale.ROOT));
        SchemaBuilder builder = switch (type) {
            case ARRAY -> SchemaBuilder.array(read(json.get("items")));
            case MAP -> SchemaBuilder.map(read(json.get("key")), read(json.get("value")));
            default -> new SchemaBuilder(type);
        };
        for (JsonNode field : json.path("fields")) {
            builder.field(field.get("name").asText(), read(field.get("schema")));
        }
        if (json.hasNonNull("name")) {
            builder.name(json.get("name").asText());
        }
        if (json.hasNonNull("version")) {
            builder.version(json.get("version").intValue());
        }
        if (json.hasNonNull("doc")) {
            builder.doc(json.get("doc").asText());
        }
        for (JsonNode parameter : json.path("parameters")) {
            builder.parameter(parameter.get(0).asText(), parameter.get(1).asText());
        }
        if (json.path("optional").asBoolean(false)) {
            builder.optional();
        }
        if (json.hasNonNull("default")) {
            // A struct as default needs the finished fields to be read by.
            builder.defaultValue(ValueJson.read(json.get("default"), builder));
        }
        return builder.build();
    }

    static JsonNode write(Schema schema) {
        if (schema == null) {
            return JSON.nullNode();
        }
        ObjectNode json = JSON.objectNode();
        json.put("type", schema.type().getName());
        json.put("optional", schema.isOptional());
        if (schema.name() != null) {
            json.put("name", schema.name());
        }
        if (schema.version() != null) {
            json.put("version", schema.version());
        }
        if (schema.doc() != null) {
            json.put("doc", schema.doc());
        }
        if (schema.parameters() != null && !schema.parameters().isEmpty()) {
            ArrayNode parameters = json.putArray("parameters");
            schema.parameters().forEach((key, value) -> parameters.addArray().add(key).add(value));
        }
        if (schema.defaultValue() != null) {
            json.set("default", ValueJson.write(schema.defaultValue(), schema));
        }
        switch (schema.type()) {
            case STRUCT -> {
                ArrayNode fields = json.putArray("fields");
                for (Field field : schema.fields()) {
                    ObjectNode one = fields.addObject();
                    one.put("name", field.name());
                    one.set("schema", write(field.schema()));
                }
            }
            case ARRAY -> json.set("items", write(schema.valueSchema()));
            case MAP -> {
                json.set("key", write(schema.keySchema()));
                json.set("value", write(schema.valueSchema()));
            }
            default -> { }
        }
        return json;
    }
}
