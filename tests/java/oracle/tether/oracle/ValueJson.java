package tether.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;

/**
 * Values as JSON, without loss: {@code null}, or an object with one key that names the Java class.
 *
 * <pre>
 * {"int8": 1}  {"int16": 1}  {"int32": 1}  {"int64": 1}       Byte, Short, Integer, Long
 * {"float32": "1.0E-5"}  {"float64": "NaN"}                   text of Float and Double; numbers are read as well
 * {"boolean": true}  {"string": "x"}  {"bytes": base64}       byte[]; a ByteBuffer is written like it
 * {"decimal": {"unscaled": "1230", "scale": 2}}               BigDecimal
 * {"date": days}  {"time": ms}  {"timestamp": ms}             java.util.Date, after the name of its schema;
 *                                                             without a schema it is a timestamp
 * {"array": [value, ...]}  {"map": [[key, value], ...]}       List, Map in its order
 * {"struct": {"schema": schema, "fields": [value, ...]}}      values in the order of the schema's fields,
 *                                                             defaults not filled in; the schema is left
 *                                                             out where it is the one that is expected
 * </pre>
 */
final class ValueJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final long MILLIS_PER_DAY = 24L * 60 * 60 * 1000;

    private ValueJson() {
    }

    /** Reads a value; the schema only says what a struct without one of its own is made of. */
    static Object read(JsonNode json, Schema expected) {
        if (json == null || json.isNull()) {
            return null;
        }
        Map.Entry<String, JsonNode> tagged = json.properties().iterator().next();
        JsonNode content = tagged.getValue();
        return switch (tagged.getKey()) {
            case "int8" -> (byte) content.intValue();
            case "int16" -> (short) content.intValue();
            case "int32" -> content.intValue();
            case "int64" -> content.longValue();
            case "float32" -> Float.valueOf(content.asText());
            case "float64" -> Double.valueOf(content.asText());
            case "boolean" -> content.booleanValue();
            case "string" -> content.textValue();
            case "bytes" -> Base64.getDecoder().decode(content.asText());
            case "decimal" -> new BigDecimal(
                new BigInteger(content.get("unscaled").asText()), content.get("scale").intValue());
            case "date" -> new Date(content.longValue() * MILLIS_PER_DAY);
            case "time", "timestamp" -> new Date(content.longValue());
            case "array" -> {
                Schema items = itemsOf(expected);
                List<Object> list = new ArrayList<>();
                content.forEach(item -> list.add(read(item, items)));
                yield list;
            }
            case "map" -> {
                Schema keys = keysOf(expected);
                Schema values = itemsOf(expected);
                Map<Object, Object> map = new LinkedHashMap<>();
                content.forEach(pair -> map.put(read(pair.get(0), keys), read(pair.get(1), values)));
                yield map;
            }
            case "struct" -> struct(content, expected);
            default -> throw new IllegalArgumentException("unknown kind of value " + tagged.getKey());
        };
    }

    private static Struct struct(JsonNode content, Schema expected) {
        Schema schema = content.hasNonNull("schema") ? SchemaJson.read(content.get("schema")) : expected;
        if (schema == null) {
            throw new IllegalArgumentException("a struct without a schema");
        }
        Struct struct = new Struct(schema);
        JsonNode values = content.get("fields");
        for (Field field : schema.fields()) {
            Object value = read(values.get(field.index()), field.schema());
            if (value != null) {
                struct.put(field, value);
            }
        }
        return struct;
    }

    static JsonNode write(Object value, Schema expected) {
        if (value == null) {
            return JSON.nullNode();
        }
        ObjectNode json = JSON.objectNode();
        if (value instanceof Byte number) {
            json.put("int8", number);
        } else if (value instanceof Short number) {
            json.put("int16", number);
        } else if (value instanceof Integer number) {
            json.put("int32", number);
        } else if (value instanceof Long number) {
            json.put("int64", number);
        } else if (value instanceof Float number) {
            json.put("float32", number.toString());
        } else if (value instanceof Double number) {
            json.put("float64", number.toString());
        } else if (value instanceof Boolean truth) {
            json.put("boolean", truth);
        } else if (value instanceof String text) {
            json.put("string", text);
        } else if (value instanceof byte[] bytes) {
            json.put("bytes", Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            json.put("bytes", Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof BigDecimal decimal) {
            json.putObject("decimal")
                .put("unscaled", decimal.unscaledValue().toString())
                .put("scale", decimal.scale());
        } else if (value instanceof Date date) {
            writeDate(json, date, expected == null ? null : expected.name());
        } else if (value instanceof List<?> list) {
            Schema items = itemsOf(expected);
            ArrayNode array = json.putArray("array");
            list.forEach(item -> array.add(write(item, items)));
        } else if (value instanceof Map<?, ?> map) {
            Schema keys = keysOf(expected);
            Schema values = itemsOf(expected);
            ArrayNode pairs = json.putArray("map");
            map.forEach((key, item) -> pairs.addArray().add(write(key, keys)).add(write(item, values)));
        } else if (value instanceof Struct struct) {
            ObjectNode content = json.putObject("struct");
            if (!struct.schema().equals(expected)) {
                content.set("schema", SchemaJson.write(struct.schema()));
            }
            ArrayNode fields = content.putArray("fields");
            for (Field field : struct.schema().fields()) {
                fields.add(write(struct.getWithoutDefault(field.name()), field.schema()));
            }
        } else {
            throw new IllegalArgumentException("no form for a value of " + value.getClass().getName());
        }
        return json;
    }

    private static void writeDate(ObjectNode json, Date date, String schema) {
        if (org.apache.kafka.connect.data.Date.LOGICAL_NAME.equals(schema)) {
            json.put("date", Math.floorDiv(date.getTime(), MILLIS_PER_DAY));
        } else if (Time.LOGICAL_NAME.equals(schema)) {
            json.put("time", date.getTime());
        } else {
            json.put("timestamp", date.getTime());
        }
    }

    // A value need not fit its schema: how that is refused is what some tests ask for.

    private static Schema keysOf(Schema schema) {
        return schema != null && schema.type() == Schema.Type.MAP ? schema.keySchema() : null;
    }

    private static Schema itemsOf(Schema schema) {
        boolean hasItems =
            schema != null && (schema.type() == Schema.Type.ARRAY || schema.type() == Schema.Type.MAP);
        return hasItems ? schema.valueSchema() : null;
    }
}
