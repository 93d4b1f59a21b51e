using ImageCriShim.Tests.Fakes;
namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>The scenarios of tests/peers by name, so that each is a test of its own and a caller that leaves one out is noticed.</summary>
internal static class Scenarios
{
    private static readonly string[] Calls =
    [
        "unary", "many_unary_calls_on_one_connection", "server_streaming_of_10000_messages", "bidirectional_streaming", "client_streaming",
        "a_stalled_stream_beside_live_ones", "streams_at_once_300", "messages_of_32_MB_both_ways", "metadata_of_60_KB",
        "repeated_and_binary_metadata",
        "trailers_only_answers", "errors_after_data", "every_status_code", "status_texts", "status_details", "deadline_exceeded",
        "cancellation_is_seen",
        "unknown_service_and_method", "what_the_runtime_sees", "compressed_messages", "authorities", "keepalive_that_the_runtime_allows",
    ];

    private static readonly string[] Containerd =
    [
        "cri_version_and_status", "cri_lists", "cri_image_fs_info", "cri_missing_things", "unknown_methods_and_services",
        "container_events", "health",
        "events_reach_300_subscribers", "content_is_written_and_read", "metadata_of_60_KB_to_containerd", "deadline_on_containerd",
        "authorities_on_containerd",
    ];

    public static string[] Of(Stack caller, string group) => (caller, group) switch
    {
        (Stack.Python or Stack.Go or Stack.OldGo, "calls") =>
            [.. Calls, "metadata_of_60_KB_in_many_fields", "caller_closes_with_calls_in_flight", "message_above_the_callers_limit",
            "image_calls"],
        (Stack.Python or Stack.Go or Stack.OldGo, "strict") => ["keepalive_that_the_runtime_forbids"],
        (Stack.Python or Stack.Go or Stack.OldGo, "age") =>
            ["calls_outlive_the_age_of_their_connection", "calls_go_on_over_many_connections"],
        (Stack.Python or Stack.Go or Stack.OldGo, "containerd") =>
            [.. Containerd, "bad_requests", "message_above_the_runtimes_limit", "compressed_request_to_containerd",
                "keepalive_that_containerd_forbids"],
        (Stack.Node, "calls") => Calls,
        (Stack.Node, "age") => ["calls_outlive_the_age_of_their_connection"],
        (Stack.Node, "containerd") => Containerd,
        (_, "shutdown") => ["a_runtime_that_stops_lets_calls_finish"],
        _ => [],
    };
}
