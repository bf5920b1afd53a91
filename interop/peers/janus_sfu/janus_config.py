"""The configuration of a Janus for the comparison of media servers: its VideoRoom plugin alone, reached by HTTP on
loopback."""

import pathlib

# For one core: one event loop for the media of all sessions in place of a thread for each. ICE-lite, as for every
# server with an address of its own; no other transport of ICE, and nothing is looked up elsewhere.
CORE = """
general: {{
  debug_level = 3
  debug_colors = false
  event_loops = {event_loops}
}}
media: {{
  ipv6 = false
  nack_optimizations = true
  rtp_port_range = "{first_port}-{last_port}"
}}
nat: {{
  ice_lite = true
  ice_tcp = false
  ice_enforce_list = "{address}"
  ignore_mdns = true
}}
plugins: {{
  disable = "{other_plugins}"
}}
transports: {{
  disable = "{other_transports}"
}}
"""

VIDEOROOM = """
general: {
  string_ids = true
}
"""

HTTP = """
general: {{
  json = "compact"
  base_path = "/janus"
  http = true
  ip = "127.0.0.1"
  port = {http_port}
}}
admin: {{
  admin_http = false
}}
"""

PLUGINS = ["audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "streaming", "textroom",
           "videocall", "voicemail"]
TRANSPORTS = ["mqtt", "nanomsg", "pfunix", "rabbitmq", "websockets"]


def libraries(names):
    return ",".join(f"libjanus_{name}.so" for name in names)


def write_config(folder, address, http_port, event_loops=1, ports=(20000, 40000)):
    """`folder` is then what --configs-folder wants. `address` is the one that media goes to."""
    files = {
        "janus.jcfg": CORE.format(event_loops=event_loops, address=address, first_port=ports[0], last_port=ports[1],
                                  other_plugins=libraries(PLUGINS), other_transports=libraries(TRANSPORTS)),
        "janus.plugin.videoroom.jcfg": VIDEOROOM,
        "janus.transport.http.jcfg": HTTP.format(http_port=http_port),
    }
    for name, text in files.items():
        pathlib.Path(folder, name).write_text(text, encoding="ascii")
