// A session's figures as JSON, as the page and the driver read them.
#pragma once

#include <string>
#include <string_view>

#include <sluice/nice/nice_transport.h>

#include "server/channel_echo.h"
#include "server/media_echo.h"
#include "server/sctp_association.h"

namespace sluice::interop {

struct SetupTimes;

struct SessionFigures {
  const std::string& id;
  std::string_view state;
  std::string_view reason;  // why it ended; empty before
  dtls::Duration age;
  const SetupTimes& times;
  const nice::NiceTransport* transport;  // null: there is none any more
  const MediaEchoStatistics& media;
  const ChannelEcho* channels;  // null: no data channels
  const SctpAssociation* sctp;  // likewise
};

// One object. Times are milliseconds; what isn't known is null.
std::string session_statistics_json(const SessionFigures& figures);

}  // namespace sluice::interop
