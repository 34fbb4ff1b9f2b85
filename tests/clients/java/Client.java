import com.google.gson.Gson;
import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.ErrorStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import java.net.URI;
import java.util.Map;

/** Reads a stream with okhttp-eventsource, which reconnects by itself, and prints every event as a line of JSON. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        EventSource source = new EventSource.Builder(ConnectStrategy.http(URI.create(arguments[0])))
            .errorStrategy(ErrorStrategy.alwaysContinue()).build();
        for (MessageEvent event : source.messages()) {
            String id = event.getLastEventId() == null ? "" : event.getLastEventId();
            System.out.println(new Gson().toJson(Map.of("event", event.getEventName(), "id", id, "data", event.getData())));
        }
    }
}
