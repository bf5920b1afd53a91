// A session's statistics as JSON, for the page and the scripts.
#pragma once

#include <string>
#include <string_view>

#include "demo/call_transport.h"
#include "demo/channel_echo.h"
#include "demo/media_echo.h"

namespace sluice::interop::demo {

struct SetupTimes;

struct SessionFigures {
  const std::string& id;
  std::string_view state;
  std::string_view reason;  // why it ended; empty while it runs
  dtls::Duration age;
  const SetupTimes& times;
  const CallTransport* transport;  // null: the session has ended
  const MediaEchoStatistics& media;
  const ChannelEcho* channels;  // null: no data channels
};

// One JSON object. Times are in milliseconds; unknown values are null.
std::string session_statistics_json(const SessionFigures& figures);

}  // namespace sluice::interop::demo
