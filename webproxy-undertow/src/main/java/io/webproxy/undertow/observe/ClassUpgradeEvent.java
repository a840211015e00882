package io.webproxy.undertow.observe;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** An upgraded timeout class. */
@Name("io.webproxy.TimeoutClassUpgrade")
@Label("Timeout Class Upgrade")
@Category("webproxy")
@Description("A response has upgraded the timeout class of its exchange")
@StackTrace(false)
final class ClassUpgradeEvent extends Event {
    @Label("Request Id")
    @Nullable String requestId;

    @Label("Route")
    @Nullable String route;

    @Label("Class at the Start")
    @Nullable String startClass;

    @Label("Class at the End")
    @Nullable String endClass;
}
