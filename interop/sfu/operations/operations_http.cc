#include "sfu/operations/operations_http.h"

#include <optional>
#include <string>

#include "common/clock.h"
#include "sfu/operations/metrics.h"
#include "sfu/operations/prometheus_text.h"
#include "sfu/operations/sessions_json.h"
#include "sfu/operations/sessions_snapshot.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

// How long the work waits is a measure of how busy the media's thread is.
std::optional<std::string> metrics(Response& response, const AskSfu& ask) {
  std::string text;
  if (!ask(response, [&text, asked_at = common::now()](const Sfu& sfu, dtls::Instant now) {
        text = media_metrics(sfu, now - asked_at);
      })) {
    return std::nullopt;
  }
  return text + process_metrics();
}

// 1,000 sessions are 700 kB of JSON, which take 9 ms: too long for the media's thread, which only
// copies the numbers.
std::optional<std::string> sessions(Response& response, const AskSfu& ask) {
  SessionsSnapshot snapshot;
  if (!ask(response, [&snapshot](const Sfu& sfu, dtls::Instant now) {
        snapshot = take_snapshot(sfu, now);
      })) {
    return std::nullopt;
  }
  return sessions_json(snapshot);
}

}  // namespace

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskSfu& ask) {
  routes.Get("/healthz", [ask](const Request& /*request*/, Response& response) {
    const bool is_alive = ask(response, [](Sfu&, dtls::Instant) {});
    if (is_alive) response.set_content("The server is up.\n", "text/plain; charset=utf-8");
  });
  // `report`: of the response; empty with the refusal in it.
  const auto add_report = [&](const char* path, const char* type, const auto& report) {
    routes.Get(path, [access, type, report](const Request& request, Response& response) {
      if (!access.admit(request, response)) return;
      const std::optional<std::string> text = report(response);
      if (!text) return;
      response.set_header("Cache-Control", "no-store");
      response.set_content(*text, type);
    });
  };
  add_report("/sessions", "application/json",
             [ask](Response& response) { return sessions(response, ask); });
  add_report("/metrics", kPrometheusType,
             [ask](Response& response) { return metrics(response, ask); });
}

}  // namespace sluice::interop::sfu
