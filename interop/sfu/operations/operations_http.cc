#include "sfu/operations/operations_http.h"

#include "common/clock.h"
#include "sfu/operations/metrics.h"
#include "sfu/operations/prometheus_text.h"
#include "sfu/operations/sessions_json.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

// How long the work waits is a measure of how busy the media's thread is.
std::optional<std::string> metrics(Response& response, const AskSfu& ask) {
  auto text = ask(response, [asked_at = common::now()](const Sfu& sfu, dtls::Instant now) {
    return media_metrics(sfu, now - asked_at);
  });
  if (text) *text += process_metrics();
  return text;
}

}  // namespace

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskSfu& ask) {
  routes.Get("/healthz", [ask](const Request& /*request*/, Response& response) {
    const auto is_alive = ask(response, [](Sfu&, dtls::Instant) { return std::string{}; });
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
             [ask](Response& response) { return ask(response, sessions_json); });
  add_report("/metrics", kPrometheusType,
             [ask](Response& response) { return metrics(response, ask); });
}

}  // namespace sluice::interop::sfu
