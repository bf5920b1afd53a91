#include "sfu/operations/operations_http.h"

#include <string>
#include <utility>

#include "common/clock.h"
#include "sfu/operations/metrics.h"
#include "sfu/operations/prometheus_text.h"
#include "sfu/operations/sessions_json.h"

namespace sluice::interop::sfu {
namespace {

using httplib::Request;
using httplib::Response;

// How long the work waits is a measure of how busy the media's thread is.
std::optional<std::string> metrics(Response& response, const AskWorkers& ask) {
  auto reports =
      ask.reports(response, [asked_at = common::now()](const Sfu& sfu, dtls::Instant now) {
        return report_of(sfu, now - asked_at);
      });
  if (!reports) return std::nullopt;
  return media_metrics(*std::move(reports), ask.dropped()) + process_metrics();
}

std::optional<std::string> all_sessions(Response& response, const AskWorkers& ask) {
  auto reports = ask.reports(response, sessions_report);
  if (!reports) return std::nullopt;
  return sessions_json(*std::move(reports), ask.dropped());
}

}  // namespace

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskWorkers& ask) {
  routes.Get("/healthz", [ask](const Request& /*request*/, Response& response) {
    const auto are_alive =
        ask.reports(response, [](Sfu&, dtls::Instant) { return WorkerReport{}; });
    if (are_alive) response.set_content("The server is up.\n", "text/plain; charset=utf-8");
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
             [ask](Response& response) { return all_sessions(response, ask); });
  add_report("/metrics", kPrometheusType,
             [ask](Response& response) { return metrics(response, ask); });
}

}  // namespace sluice::interop::sfu
